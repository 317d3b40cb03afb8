"""Long lists of names and colours, written as text."""

from __future__ import annotations

from dali_voc.labels import Color

__all__ = ["colors_of", "names_of"]


def names_of(text: str) -> tuple[str, ...]:
    """Return names that stand in a text with commas between them."""
    return tuple(name.strip() for name in " ".join(text.split()).split(","))


def colors_of(text: str) -> tuple[Color, ...]:
    """Return colours that stand in a text as `RRGGBB`, hexadecimal, with spaces between them."""
    colors = (bytes.fromhex(word) for word in text.split())
    return tuple((red, green, blue) for red, green, blue in colors)
