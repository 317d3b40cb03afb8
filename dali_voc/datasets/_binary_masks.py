"""Masks of 0 and 255 without a map, of which only the 0 would be learned."""

from __future__ import annotations

import logging

import numpy as np
from PIL import Image

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._spread import spread

__all__ = ["warn_of_binary_masks"]

_log = logging.getLogger("dali_voc")
_LOOKED_AT = 8
_GRAY_OF_8_BITS = slice(24, 26)  # where in a PNG its depth and kind stand


def warn_of_binary_masks(index: PairIndex) -> None:
    """Warn where there are two classes, and some labels hold 0 and 255 alone, which is ignored.

    Args:
        index: of the split; a few of its labels are decoded if nobody has said what values mean.
    """
    spec, labeled = index.spec, index.labeled
    if not (spec.colors_guessed and len(spec.classes) == 2 and not spec.maps and len(labeled)):
        return
    values: set[int] = set()
    for i in labeled[spread(len(labeled), most=_LOOKED_AT)].tolist():
        try:
            with index.labels.open(i) as file:
                if file.read(_GRAY_OF_8_BITS.stop)[_GRAY_OF_8_BITS] != b"\x08\x00":
                    continue  # Pillow scales what has fewer bits
                file.seek(0)
                with Image.open(file) as label:
                    values |= set(np.unique(np.asarray(label)).tolist())
        except Exception:  # what is wrong with it is said when it is read
            return
    if values == {0, 255}:
        zero, other = spec.classes
        _log.warning(
            "labels such as %s hold 0 and 255 alone, and 255 is ignored: nothing of class '%s' "
            "would be seen; dataset.map: {0: %s, 255: %s} makes it a class",
            index.labels[int(labeled[0])],
            other,
            zero,
            other,
        )
