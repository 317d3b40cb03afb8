"""`color_to_index`: RGB to class indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from dali_voc.labels import Color
from dali_voc.ops._plugin import load_plugin
from dali_voc.ops._types import dali_type, fn

__all__ = ["color_to_index"]


def color_to_index(
    rgb: Any,
    *,
    colors: Sequence[Color],
    classes: Sequence[int] | None = None,
    unknown: int | Literal["error"] = "error",
    dtype: Literal["uint8", "int32", "int64"] = "uint8",
) -> Any:
    """Turn decoded RGB pictures into class indices by exact match of all 24 bits. CPU.

    Args:
        rgb: uint8 pictures [height, width, 3], of any mix of sizes.
        colors: known colours (R, G, B), each 0..255.
        classes: the class of each colour; by default its place in `colors`.
        unknown: the class of any other colour, or an error naming the colour and its pixel count.
        dtype: of the result.

    Returns:
        Class indices [height, width].

    Raises:
        ValueError: `colors` and `classes` do not fit, or a colour is there twice.
    """
    load_plugin()
    colors = [(int(r), int(g), int(b)) for r, g, b in colors]
    if not all(0 <= value <= 255 for color in colors for value in color):
        raise ValueError("a colour has three values from 0 to 255")
    classes = list(range(len(colors)) if classes is None else classes)
    if len(classes) != len(colors):
        raise ValueError(f"{len(colors)} colors but {len(classes)} classes")
    if len(set(colors)) != len(colors):
        raise ValueError("a colour is in colors twice")
    limit = 255 if dtype == "uint8" else 65534
    for value in [*classes, *([] if unknown == "error" else [unknown])]:
        if not 0 <= value <= limit:
            raise ValueError(f"class {value} does not fit, expected 0..{limit} for {dtype}")
    return fn.dali_voc.color_to_index(
        rgb,
        colors=[r << 16 | g << 8 | b for r, g, b in colors],
        classes=classes,
        unknown=-1 if unknown == "error" else unknown,
        dtype=dali_type(dtype),
    )
