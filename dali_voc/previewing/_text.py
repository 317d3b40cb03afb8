"""Text on pictures: a font that is always there, and names that fit and can be read."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import ImageFont

__all__ = ["fit", "font", "legible", "width_of"]

_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@functools.lru_cache
def _font_file(name: str) -> Path:
    import matplotlib  # noqa: PLC0415  it takes a while

    return Path(matplotlib.get_data_path()) / "fonts/ttf" / name


@functools.lru_cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return DejaVu Sans, which matplotlib brings along; `size` in pixels."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    # the basic layout is alike on every machine; the other one needs a library of the system's
    return ImageFont.truetype(_font_file(name), size, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache
def _glyphs() -> frozenset[int]:
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415

    return frozenset(FT2Font(str(_font_file("DejaVuSans.ttf"))).get_charmap())


def legible(text: str) -> str:
    """Return the text with what the font lacks, or cannot be printed, as Python's escapes."""
    known = _glyphs()
    return "".join(
        c if c.isprintable() and ord(c) in known else c.encode("unicode_escape").decode("ascii")
        if not "\ud800" <= c <= "\udfff"
        # a byte of a file name that is not UTF-8
        else f"\\x{ord(c) & 0xFF:02x}"
        for c in text
    )  # fmt: skip


def width_of(text: str, face: ImageFont.FreeTypeFont) -> int:
    """Return the width of a line, pixels, rounded up."""
    return -int(-face.getlength(text) // 1)


def fit(text: str, face: ImageFont.FreeTypeFont, width: int) -> str:
    """Return the text, its middle left out as far as it is too wide for `width` pixels."""
    text = legible(text)
    if width_of(text, face) <= width:
        return text
    low, high = 0, len(text) - 1  # characters that are kept
    while low < high:
        kept = (low + high + 1) // 2
        if width_of(_shorten(text, kept), face) <= width:
            low = kept
        else:
            high = kept - 1
    return _shorten(text, low)


def _shorten(text: str, kept: int) -> str:
    # names of samples differ at their ends more often than at their beginnings
    front = kept // 3
    return text[:front] + _ELLIPSIS + text[len(text) - (kept - front) :]
