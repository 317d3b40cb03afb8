"""Pictures of which little is left as 8 bits of red, green and blue."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import IO

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._spread import spread

__all__ = ["warn_of_lost_values"]

_log = logging.getLogger("dali_voc")
_LOOKED_AT = 4
_PNG, _PNG_DEPTH = b"\x89PNG\r\n\x1a\n", 24  # where in a file the depth stands
_BIG_TIFF = (b"II+\0", b"MM\0+")
_TIFF = (b"II*\0", b"MM\0*", *_BIG_TIFF)
_BITS, _SAMPLES, _EXTRA, _FORMAT = 258, 277, 338, 339  # tags of TIFF
_FLOAT = 3
_COLORS = 3
# of 16 bits; pictures that never come so far would be left with 32 levels of 256
_DARK = 65536 // 8


def warn_of_lost_values(index: PairIndex) -> None:
    """Warn where images hold more than is taken of them: floats, 16 bits in part, many channels.

    Args:
        index: of the split; a few of its images' headers are read, and images of 16 bits decoded.
    """
    found: dict[str, list[int]] = {}
    chosen = spread(len(index), most=_LOOKED_AT).tolist()
    for i in chosen:
        try:
            with warnings.catch_warnings(), index.images.open(i) as file:
                warnings.simplefilter("ignore")  # of sizes that Pillow calls bombs
                loss = _find_loss(file)
        except Exception:  # what is wrong with it is said when it is read
            return
        found.setdefault(loss, []).append(i)
    for loss, images in found.items():
        # a dark one among others is no matter
        if loss and len(images) == len(chosen):
            _log.warning("images such as %s: %s", index.images[images[0]], loss)


def _find_loss(file: IO[bytes]) -> str:
    head = file.read(_PNG_DEPTH + 1)
    if head[:4] in _TIFF:
        return _of_tiff(file)
    if head[:8] == _PNG and head[_PNG_DEPTH] == 16:
        return _of_16_bits(file)
    return ""


def _of_tiff(file: IO[bytes]) -> str:
    file.seek(0)
    head = file.read(16)
    directory = ImageFileDirectory_v2(head if head[:4] in _BIG_TIFF else head[:8])
    file.seek(directory.next)
    directory.load(file)
    samples = directory.get(_SAMPLES, 1)
    # what Exif and GeoTIFF call a fourth channel of which nobody says that it is alpha
    spare = directory.get(_EXTRA, (0,) * max(0, samples - _COLORS))
    if samples > _COLORS + 1 or (samples == _COLORS + 1 and 0 in spare):
        return f"TIFF of {samples} channels, of which the first three are taken"
    if _FLOAT in directory.get(_FORMAT, ()):
        return _by_pillow(file, _of_floats)
    return _of_16_bits(file) if max(directory.get(_BITS, (1,))) == 16 else ""


def _of_floats(picture: Image.Image) -> str:
    values = np.asarray(picture)
    low, high = np.nanmin(values), np.nanmax(values)
    if low >= 0 and high <= 1:
        return ""
    return (
        f"TIFF of floating point from {low:g} to {high:g}, which is taken to be 0 to 1: what lies "
        "outside becomes black and white; scale it to that, or write 8 bits"
    )


def _of_16_bits(file: IO[bytes]) -> str:
    return _by_pillow(file, _of_dark_pictures)


def _of_dark_pictures(picture: Image.Image) -> str:
    # of colours Pillow gives the higher byte alone
    step = 256 if picture.mode.startswith("RGB") else 1
    highest = int(np.asarray(picture).max()) * step + (step - 1)
    if highest >= _DARK:
        return ""
    return (
        f"no value of its 16 bits is above {highest}, and 8 bits are taken of them (the value over "
        f"257): it is nearly black; multiply by {65535 // max(1, highest)}, or write 8 bits"
    )


def _by_pillow(file: IO[bytes], judge: Callable[[Image.Image], str]) -> str:
    file.seek(0)
    with Image.open(file) as picture:
        return judge(picture)
