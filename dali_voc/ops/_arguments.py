"""Checks of what is given to operators, which would otherwise be taken for something else."""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence
from typing import Any, get_args

from dali_voc.labels import LabelDtype
from dali_voc.ops._types import Dtype, ImageDtype, dali_type

__all__ = ["as_class", "as_crop_size", "as_image_type", "as_label_type", "check_word", "turned_by"]


def check_word(what: str, found: object, expected: Sequence[str]) -> None:
    """Raise ValueError for a word that is none of those expected."""
    if not isinstance(found, str) or found not in expected:
        words = ", ".join(map(repr, expected[:-1]))
        raise ValueError(f"{what}: found {found!r}, expected {words} or {expected[-1]!r}")


def _as_type(dtype: Dtype, expected: Sequence[str]) -> Any:
    check_word("dtype", dtype, expected)
    return dali_type(dtype)


def as_label_type(dtype: LabelDtype) -> Any:
    """Return DALI's own name of a data type of labels, or raise ValueError."""
    return _as_type(dtype, get_args(LabelDtype))


def as_image_type(dtype: ImageDtype) -> Any:
    """Return DALI's own name of a data type of images, or raise ValueError."""
    return _as_type(dtype, get_args(ImageDtype))


def as_class(what: str, found: Any, *, dtype: LabelDtype) -> int:
    """Return a class index that fits the type, or raise ValueError."""
    limit = 255 if dtype == "uint8" else 65534
    try:
        index = operator.index(found)
    except TypeError:
        index = -1
    if not 0 <= index <= limit:
        raise ValueError(f"{what}: found {found!r}, expected a class, 0 to {limit} for {dtype}")
    return index


def as_crop_size(crop_size: Sequence[int] | None) -> list[int]:
    """Return height and width, nothing for None, or raise ValueError."""
    if crop_size is None:
        return []
    try:
        height, width = map(operator.index, crop_size)
    except (TypeError, ValueError):
        height = width = 0
    if height < 1 or width < 1:
        raise ValueError(
            f"crop_size: found {crop_size!r}, expected height and width of at least one pixel, or "
            "None"
        )
    return [height, width]


def turned_by(rotation: Any) -> dict[str, Any]:
    """Return the argument `rotation`; raise ValueError for an angle."""
    if isinstance(rotation, numbers.Real):
        raise ValueError(
            f"rotation: found {rotation}, expected two numbers, the cosine and the sine of an angle"
        )
    return {"rotation": rotation}
