"""VOC's colours to classes by a table over all colours, as most training code does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dali_voc.labels import voc_colormap

__all__ = ["color_classes", "color_table"]


def color_table() -> npt.NDArray[np.uint8]:
    """Return the class of each colour, uint8 [256 ** 3]; 255 for the border and all others."""
    table = np.full(256**3, 255, np.uint8)
    for index, (red, green, blue) in enumerate(voc_colormap(21)):
        table[red << 16 | green << 8 | blue] = index
    return table


def color_classes(
    rgb: npt.NDArray[np.uint8], table: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Return the classes, uint8 [height, width], of colours, uint8 [height, width, 3]."""
    wide = rgb.astype(np.int32)
    classes: npt.NDArray[np.uint8] = table[wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]]
    return classes
