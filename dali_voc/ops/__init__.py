"""Operators of our own for DALI pipelines, each with its C++ in `csrc`."""

from __future__ import annotations

from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._colors import check_unknown, color_to_index
from dali_voc.ops._crop_label import crop_label
from dali_voc.ops._crops import decode_crop, normalize_crop
from dali_voc.ops._keep import keep_window
from dali_voc.ops._labels import ClassCrop, LabelNodes, Resize, decode_label
from dali_voc.ops._png import check_png, decode_png, decode_png_label
from dali_voc.ops._records import read_record

__all__ = [
    "CacheNodes",
    "ClassCrop",
    "LabelNodes",
    "Resize",
    "check_png",
    "check_unknown",
    "color_to_index",
    "crop_label",
    "decode_crop",
    "decode_label",
    "decode_png",
    "decode_png_label",
    "keep_window",
    "normalize_crop",
    "read_record",
]
