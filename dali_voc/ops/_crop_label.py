"""`crop_label`: maps of class indices on a GPU to crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dali_voc.labels import LabelDtype
from dali_voc.ops._arguments import as_class, as_crop_size, as_label_type, turned_by
from dali_voc.ops._call import call, is_on_gpu

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
        ValueError: `values` are not on a GPU, the classes are not 256 that fit `dtype`, or another
            argument is none that there is.
    """
    type_ = as_label_type(dtype)
    if not is_on_gpu(values):
        raise ValueError("values are on the CPU, expected them on a GPU")
    if classes is not None and len(classes) != _VALUES:
        raise ValueError(f"{len(classes)} classes, expected one for each of {_VALUES} values")
    return call(
        "crop_label",
        values,
        device="gpu",
        crop_size=as_crop_size(crop_size),
        start=start,
        scaled=scaled,
        flip=flip,
        vertical_flip=vertical_flip,
        classes=[as_class("classes", value, dtype=dtype) for value in classes or ()],
        ignore_index=as_class("ignore_index", ignore_index, dtype=dtype),
        dtype=type_,
        **turned_by(rotation),
    )
