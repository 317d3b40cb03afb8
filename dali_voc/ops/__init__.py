"""Operators of our own for DALI pipelines, each with its C++ in `csrc`.

In docs/operators.md they are used in pipelines of one's own. Those in `experimental` are apart.
"""

from __future__ import annotations

from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._colors import check_unknown, color_to_index
from dali_voc.ops._crop_label import crop_label
from dali_voc.ops._crops import decode_crop, normalize_crop
from dali_voc.ops._keep import keep_window
from dali_voc.ops._labels import ClassCrop, LabelNodes, Resize, decode_label
from dali_voc.ops._plugin import library_path, load_plugin
from dali_voc.ops._records import read_record

__all__ = [
    "CacheNodes",
    "ClassCrop",
    "LabelNodes",
    "Resize",
    "check_unknown",
    "color_to_index",
    "crop_label",
    "decode_crop",
    "decode_label",
    "keep_window",
    "library_path",
    "load_plugin",
    "normalize_crop",
    "read_record",
]
