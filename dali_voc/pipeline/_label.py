"""Graph: labels are read, and decoded as a `LabelReading` says."""

from __future__ import annotations

from typing import Any

from dali_voc._label_reading import LabelReading
from dali_voc.config import AugmentConfig
from dali_voc.ops import CacheNodes, ClassCrop, read_record

__all__ = ["meaning_of", "read_label", "window_of"]


def read_label(given: dict[str, Any], *, cache: CacheNodes | None = None) -> Any:
    """Return the bytes of labels; `given` holds what the source gives, by name."""
    return read_record(
        given["label"],
        record=given.get("label_record"),
        map=given.get("map", 0),
        cache=cache,
        what="label",
        picture=given.get("sample"),
    )


def meaning_of(given: dict[str, Any], reading: LabelReading) -> dict[str, Any]:
    """Return the arguments of `decode_label` that say what values mean."""
    return {
        "tables": reading.tables,
        "map": given.get("map", 0),
        "segments": given.get("segments"),
        "num_classes": reading.num_classes,
        "palette": reading.palette,
        "unknown": reading.unknown,
        "ignore_index": reading.ignore_index,
        "unlabeled": reading.unlabeled,
        "dtype": reading.dtype,
    }


def window_of(given: dict[str, Any], augment: AugmentConfig, *, num_classes: int) -> dict[str, Any]:
    """Return those that say which window is cut, but for its size, and how it is turned."""
    class_crop = None
    if "class_draw" in given:
        class_crop = ClassCrop(
            draw=given["class_draw"],
            probability=augment.class_crop or 0.0,
            weights=augment.class_weights or (1.0,) * num_classes,
        )
    return {
        "position": given["position"],
        "max_ratio": augment.category_max_ratio or 1.0,
        "scale": given.get("scale"),
        "class_crop": class_crop,
        "flip": given["flip"],
        "vertical_flip": given.get("vertical_flip", 0),
        "rotation": given.get("rotation"),
    }
