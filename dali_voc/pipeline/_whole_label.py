"""Graph: whole labels as class indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dali_voc.config import LabelsConfig
from dali_voc.labels import LabelTables
from dali_voc.ops import decode_label

__all__ = ["decode_whole_label"]


def decode_whole_label(
    encoded: Any,
    path: Any,
    image: Any = None,
    *,
    labels: LabelsConfig,
    tables: Sequence[LabelTables],
    void: int,
    **options: Any,
) -> Any:
    """Return class indices [height, width] of mixed sizes, uint8, or int32 where `void` is wider.

    Args:
        encoded: as for `decode_label`.
        path: likewise.
        image: likewise.
        labels: `palette` and `unknown` are used.
        tables: what label values mean.
        void: value of what has no class, as in `tables`.
        options: further arguments of `decode_label`.
    """
    return decode_label(
        encoded,
        path,
        image,
        tables=tables,
        crop_size=None,
        palette=labels.palette,
        unknown="error" if labels.unknown == "error" else void,
        ignore_index=void,
        dtype="uint8" if void <= 255 else "int32",
        **options,
    ).label
