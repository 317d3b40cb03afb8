"""What the Python side of the operators shares."""

from __future__ import annotations

from typing import Any, Literal

from nvidia.dali import types

from dali_voc.labels import LabelDtype

__all__ = ["Dtype", "ImageDtype", "dali_type"]

ImageDtype = Literal["float32", "float16", "bfloat16", "uint8"]
Dtype = ImageDtype | LabelDtype


def dali_type(dtype: Dtype) -> Any:
    """Return DALI's own name of a type; of bfloat16, which it does not know, that of its bits."""
    names = {
        "float32": types.FLOAT,
        "float16": types.FLOAT16,
        "bfloat16": types.INT16,
        "uint8": types.UINT8,
        "int32": types.INT32,
        "int64": types.INT64,
    }
    return names[dtype]
