"""The DALI graphs, and nothing else: no random operator, no state, one graph for CPU and GPU.

nvidia.dali is imported with this package, and this package only when a loader is built.
"""

from __future__ import annotations

from dali_voc.pipeline._build import build_pipeline
from dali_voc.pipeline._decode_only import build_decode_only_pipeline
from dali_voc.pipeline._for_checking import build_image_pipeline
from dali_voc.pipeline._for_packing import build_packing_pipeline
from dali_voc.pipeline._for_preview import build_stored_pipeline
from dali_voc.pipeline._inputs import Source
from dali_voc.pipeline._labels_only import build_label_pipeline
from dali_voc.pipeline._user_operators import UserOperator

__all__ = [
    "Source",
    "UserOperator",
    "build_decode_only_pipeline",
    "build_image_pipeline",
    "build_label_pipeline",
    "build_packing_pipeline",
    "build_pipeline",
    "build_stored_pipeline",
]
