"""Photographs that programs show turned, which their labels may have been drawn on."""

from __future__ import annotations

import logging
import warnings

from PIL import Image

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._spread import spread

__all__ = ["warn_of_orientations"]

_log = logging.getLogger("dali_voc")
_ORIENTATION = 0x0112  # tag of Exif and TIFF; 1 is upright


def warn_of_orientations(index: PairIndex, *, most: int) -> None:
    """Warn where images have an orientation, which is not looked at; `most` are read for that."""
    labeled = index.labeled  # without labels nothing can lie elsewhere
    chosen = labeled[spread(len(labeled), most=most)].tolist()
    turned = [i for i in chosen if _is_turned(index, i)]
    if turned:
        _log.warning(
            "%d of %d images that were looked at have an orientation in Exif, such as %s: pixels "
            "and labels are taken as they are stored; labels that were drawn on the turned picture "
            "do not lie on it, even where their sizes agree (docs/troubleshooting.md)",
            len(turned),
            len(chosen),
            index.images[turned[0]],
        )


def _is_turned(index: PairIndex, i: int) -> bool:
    try:
        with warnings.catch_warnings(), index.images.open(i) as file:
            warnings.simplefilter("ignore")  # of sizes that Pillow calls bombs
            image = Image.open(file)
            if image.format == "PNG" and "exif" not in image.info:
                return False  # Pillow would decode all of it to look behind its pixels
            return image.getexif().get(_ORIENTATION, 1) not in (0, 1)
    except Exception:  # what is wrong with it is said when it is read
        return False
