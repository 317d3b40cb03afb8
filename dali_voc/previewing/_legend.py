"""The legend below a sheet: squares of colour with the classes' names, in columns."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from dali_voc.previewing._codes import Entry, hatch
from dali_voc.previewing._text import fit, font, legible, width_of

__all__ = ["draw_legend", "legend_size"]

_LINE = 22
_SWATCH = 15
_INDENT = _SWATCH + 8
_BETWEEN = 24
_WIDEST = 250  # of a name
_SHARE = 54
_INK, _FAINT, _FRAME = (34, 34, 34), (118, 118, 118), (120, 120, 120)
_FONT = 13


def _columns(entries: Sequence[Entry], width: int) -> tuple[int, int, int]:
    """Return the number of columns, the lines of each, and the width of names."""
    face = font(_FONT)
    names = min(max((width_of(legible(e.name), face) for e in entries), default=0), _WIDEST)
    names = max(1, min(names, width - _INDENT - _SHARE))
    most = max(1, (width + _BETWEEN) // (_INDENT + names + _SHARE + _BETWEEN))
    lines = -(-len(entries) // most)
    return (-(-len(entries) // lines) if lines else 0), lines, names


def legend_size(entries: Sequence[Entry], *, width: int) -> tuple[int, int]:
    """Return how many columns the legend has within `width` pixels, and its height."""
    columns, lines, _ = _columns(entries, width)
    return columns, lines * _LINE


def draw_legend(
    picture: Image.Image, entries: Sequence[Entry], *, left: int, top: int, width: int
) -> None:
    """Draw the legend: name and share of the pixels, column after column."""
    _, lines, names = _columns(entries, width)
    face, pen = font(_FONT), ImageDraw.Draw(picture)
    for i, entry in enumerate(entries):
        column, line = divmod(i, lines)
        x = left + column * (_INDENT + names + _SHARE + _BETWEEN)
        y = top + line * _LINE
        if entry.color is None:
            picture.paste(Image.fromarray(hatch(_SWATCH, _SWATCH)), (x, y))
        else:
            pen.rectangle((x, y, x + _SWATCH - 1, y + _SWATCH - 1), fill=entry.color)
        pen.rectangle((x - 1, y - 1, x + _SWATCH, y + _SWATCH), outline=_FRAME)
        pen.text((x + _INDENT, y - 1), fit(entry.name, face, names), fill=_INK, font=face)
        pen.text(
            (x + _INDENT + names + _SHARE, y - 1),
            percent(entry.share),
            fill=_FAINT,
            font=face,
            anchor="ra",
        )


def percent(share: float) -> str:
    """Return a share for people."""
    return f"{100 * share:.0f} %" if share >= 0.095 else f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"
