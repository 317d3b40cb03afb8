"""The legend below a sheet: squares of colour with the classes' names, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw
from typing_extensions import Self

from dali_voc.previewing._codes import Entry, hatch
from dali_voc.previewing._text import fit, font, legible, width_of

__all__ = ["Legend", "percent"]

# pixels, before they grow with the sheet
_LINE = 22
_SQUARE = 15
_INDENT = 23
_BETWEEN = 24
_WIDEST = 250  # of a name
_SHARE = 58
_FONT = 13

_INK, _FAINT, _FRAME = (34, 34, 34), (118, 118, 118), (120, 120, 120)


@dataclass(frozen=True, kw_only=True)
class Legend:
    """A legend, laid out.

    Attributes:
        entries: what it says.
        unit: by which it is larger than usual.
        lines: of each column.
        names: width of the names, pixels.
    """

    entries: tuple[Entry, ...]
    unit: float
    lines: int
    names: int

    @classmethod
    def lay_out(cls, entries: Sequence[Entry], *, width: int, unit: float) -> Self:
        """Fill the width with columns, as many as fit and are needed."""
        face = font(round(_FONT * unit))
        beside = round((_INDENT + _SHARE) * unit)
        between = round(_BETWEEN * unit)
        widest = max((width_of(legible(entry.name), face) for entry in entries), default=1)
        names = max(1, min(widest, round(_WIDEST * unit), width - beside))
        most = max(1, (width + between) // (beside + names + between))
        return cls(entries=tuple(entries), unit=unit, lines=-(-len(entries) // most), names=names)

    @property
    def height(self) -> int:
        """How high it is, pixels."""
        return self.lines * round(_LINE * self.unit)

    def draw(self, picture: Image.Image, *, left: int, top: int) -> None:
        """Draw it, column after column: colour, name and share of the pixels."""
        unit = self.unit
        face, pen = font(round(_FONT * unit)), ImageDraw.Draw(picture)
        indent, share, side = (round(length * unit) for length in (_INDENT, _SHARE, _SQUARE))
        step = indent + self.names + share + round(_BETWEEN * unit)
        for i, entry in enumerate(self.entries):
            column, line = divmod(i, self.lines)
            x, y = left + column * step, top + line * round(_LINE * unit)
            if entry.color is None:
                picture.paste(Image.fromarray(hatch(side, side)), (x, y))
            else:
                pen.rectangle((x, y, x + side - 1, y + side - 1), fill=entry.color)
            pen.rectangle((x - 1, y - 1, x + side, y + side), outline=_FRAME)
            name = fit(entry.name, face, self.names)
            pen.text((x + indent, y - 1), name, fill=_INK, font=face)
            at = (x + indent + self.names + share, y - 1)
            pen.text(at, percent(entry.share), fill=_FAINT, font=face, anchor="ra")


def percent(share: float) -> str:
    """Return a share for people."""
    if share == 0 or share >= 0.095:
        return f"{100 * share:.0f} %"
    return f"{100 * share:.1f} %" if share >= 0.0005 else "< 0.1 %"
