"""`crop_label`: maps of class indices on a GPU to crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dali_voc.labels import LabelDtype
from dali_voc.ops._plugin import load_plugin
from dali_voc.ops._types import dali_type, fn

__all__ = ["crop_label"]

_VALUES = 256


def crop_label(
    values: Any,
    *,
    crop_size: tuple[int, int] | None,
    start: Any = (0, 0),
    scaled: Any = None,
    flip: Any = 0,
    vertical_flip: Any = 0,
    rotation: Any = None,
    classes: Sequence[int] | None = None,
    ignore_index: int = 255,
    dtype: LabelDtype = "uint8",
) -> Any:
    """Scale maps of class indices, cut, mirror, pad, turn, map and cast them, by one kernel. GPU.

    It gives what `decode_label` gives for the same numbers, from maps that are decoded already.

    Args:
        values: whole maps, uint8 [height, width], of any mix of sizes, on a GPU.
        crop_size: height and width of the result, pixels; None: all that the map shows from `start`
            on.
        start: first row and column of the window, in pixels of the scaled map, int32 [2] per sample
            or constant. The window is as large as the crop, or ends where the map does.
        scaled: height and width that the map is scaled to, nearest neighbour, before it is cropped,
            int32 [2] per sample or constant; None: it stays as it is.
        flip: 1 mirrors the crop left to right, per sample or constant.
        vertical_flip: 1 mirrors the crop top to bottom.
        rotation: as in `decode_label`; with `ignore_index` where there is nothing.
        classes: the class of each of the 256 values; None: the value itself.
        ignore_index: what the result holds where there is no map.
        dtype: of the result.

    Returns:
        Class indices [crop height, crop width].

    Raises:
        ValueError: `values` are not on a GPU, or the classes are not 256 that fit `dtype`.
    """
    load_plugin()
    if getattr(values, "device", "cpu") != "gpu":
        raise ValueError("values are on the CPU, expected them on a GPU")
    if classes is not None and len(classes) != _VALUES:
        raise ValueError(f"{len(classes)} classes, expected one for each of {_VALUES} values")
    limit = 255 if dtype == "uint8" else 65534
    for value in [*(classes or ()), ignore_index]:
        if not 0 <= value <= limit:
            raise ValueError(f"class {value} does not fit, expected 0..{limit} for {dtype}")
    optional = {} if rotation is None else {"rotation": rotation}
    if scaled is not None:
        optional["scaled"] = scaled
    return fn.dali_voc.crop_label(
        values,
        device="gpu",
        crop_size=[] if crop_size is None else list(crop_size),
        start=start,
        flip=flip,
        vertical_flip=vertical_flip,
        classes=list(classes or ()),
        ignore_index=ignore_index,
        dtype=dali_type(dtype),
        **optional,
    )
