"""The contact sheet: rows of cells, each some panels side by side with a name, and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from dali_voc.errors import ConfigError
from dali_voc.labels import LabelSpec
from dali_voc.previewing._codes import Entry
from dali_voc.previewing._legend import Legend
from dali_voc.previewing._panels import LEAST_SIDE, Box, Panel, draw_panel, scaled_shape
from dali_voc.previewing._text import fit, font

__all__ = ["Cell", "Sheet", "draw_sheet"]

# pixels, before they grow with the sheet
_MARGIN = 24
_GAP = 24  # between cells
_SEAM = 6  # between the panels of a cell
_LINE = 22  # height of a line of text
_LEAST_WIDTH = 420  # of the sheet: a title is to be read

_USUAL_WIDTH = 1600  # text is larger on wider sheets, so that it can be read when all is seen
_ASPECT = 1.4  # of the sheet, about
_LARGEST = 120_000_000  # pixels
_INK, _FAINT = (34, 34, 34), (118, 118, 118)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """What belongs to one sample.

    Attributes:
        panels: side by side, as many in every cell; None: there is nothing to show.
        name: of the sample, above it.
        note: stands behind it.
    """

    panels: tuple[Panel | None, ...]
    name: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet.

    Attributes:
        picture: RGB.
        boxes: where each panel of each cell is: left, top, and the pixels behind right and bottom.
    """

    picture: Image.Image
    boxes: tuple[tuple[Box | None, ...], ...]


def draw_sheet(
    cells: Sequence[Cell],
    *,
    spec: LabelSpec,
    entries: Sequence[Entry],
    title: str = "",
    headings: Sequence[str] = (),
    columns: int | None = None,
    size: int = 512,
) -> Sheet:
    """Lay out cells in rows, and the legend below them.

    Args:
        cells: at least one.
        spec: the classes' colours.
        entries: the legend.
        title: above all.
        headings: one for each panel of a cell, above the first row.
        columns: cells side by side; None: as many as make a sheet of a usual shape.
        size: longest side of a panel, pixels. Larger pictures are scaled down, very small ones
            get larger pixels, all others are shown pixel by pixel.

    Raises:
        ConfigError: the sheet would be too large.
    """
    plan = _Plan.make(cells, columns=columns, size=size, named=any(cell.name for cell in cells))
    unit = plan.unit
    margin = round(_MARGIN * unit)
    inner = max(plan.body_width, _LEAST_WIDTH - 2 * margin)
    legend = Legend.lay_out(entries, width=inner, unit=unit)
    line, gap = round(_LINE * unit), round(_GAP * unit)
    top = margin + (round(1.5 * line) if title else 0) + (line if headings else 0)
    body = sum(plan.row_heights) + len(plan.row_heights) * (plan.caption + gap)
    width, height = inner + 2 * margin, top + body + legend.height + margin
    if width * height > _LARGEST:
        raise ConfigError(
            f"{len(cells)} samples make a sheet of {width} x {height} pixels, expected at "
            f"most {_LARGEST // 10**6} million: show fewer samples or smaller pictures"
        )
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    if title:
        face = font(round(16 * unit), bold=True)
        pen.text((margin, margin - 4), fit(title, face, inner), fill=_INK, font=face)
    boxes = []
    for i, cell in enumerate(cells):
        row, column = divmod(i, plan.columns)
        left = margin + column * (plan.cell_width + gap)
        upper = top + sum(plan.row_heights[:row]) + row * (plan.caption + gap)
        if row == 0:
            _head(pen, headings, plan, left, upper - line)
        if cell.name:
            _caption(pen, cell, (left, upper), plan)
        at = (left, upper + plan.caption)
        boxes.append(_draw_panels(picture, cell, plan.shapes[i], plan=plan, at=at, spec=spec))
    legend.draw(picture, left=margin, top=top + body)
    return Sheet(picture=picture, boxes=tuple(boxes))


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """Sizes in pixels.

    Attributes:
        unit: by which text is larger than usual.
        columns: cells side by side.
        shapes: height and width of each panel of each cell.
        panel_widths: of each column of panels in a cell.
        row_heights: of panels.
        cell_width: of all panels of a cell.
        body_width: of all cells of a row.
        caption: height of the names.
    """

    unit: float
    columns: int
    shapes: tuple[tuple[tuple[int, int] | None, ...], ...]
    panel_widths: tuple[int, ...]
    row_heights: tuple[int, ...]
    cell_width: int
    body_width: int
    caption: int

    @classmethod
    def make(cls, cells: Sequence[Cell], *, columns: int | None, size: int, named: bool) -> _Plan:
        shapes = tuple(
            tuple(scaled_shape(panel, size) if panel else None for panel in cell.panels)
            for cell in cells
        )
        widths = tuple(
            max((shape[1] for shape in column if shape), default=LEAST_SIDE)
            for column in zip(*shapes, strict=True)
        )
        heights = [max((s[0] for s in row if s), default=LEAST_SIDE) for row in shapes]
        cell_width = sum(widths) + _SEAM * (len(widths) - 1)
        columns = columns or _best_columns(len(cells), cell_width, max(heights))
        columns = min(columns, len(cells))
        unit = max(1.0, min(2.5, columns * cell_width / _USUAL_WIDTH))
        return cls(
            unit=unit,
            columns=columns,
            shapes=shapes,
            panel_widths=widths,
            row_heights=tuple(max(heights[i : i + columns]) for i in range(0, len(cells), columns)),
            cell_width=cell_width,
            body_width=columns * (cell_width + round(_GAP * unit)) - round(_GAP * unit),
            caption=round(_LINE * unit) if named else 0,
        )


def _best_columns(cells: int, width: int, height: int) -> int:
    """Return with how many columns the sheet comes nearest to the usual shape."""

    def misfit(columns: int) -> float:
        rows = -(-cells // columns)
        aspect = columns * (width + _GAP) / (rows * (height + _LINE + _GAP))
        empty = rows * columns - cells
        return abs(math.log(aspect / _ASPECT)) + 0.3 * empty / columns

    return min(range(1, cells + 1), key=misfit)


def _head(
    pen: ImageDraw.ImageDraw, headings: Sequence[str], plan: _Plan, left: int, top: int
) -> None:
    face = font(round(12 * plan.unit))
    for heading, width in zip(headings, plan.panel_widths, strict=False):
        pen.text((left, top), fit(heading, face, width), fill=_FAINT, font=face)
        left += width + _SEAM


def _caption(pen: ImageDraw.ImageDraw, cell: Cell, at: tuple[int, int], plan: _Plan) -> None:
    face = font(round(13 * plan.unit))
    space = 12 * plan.unit
    note = fit(cell.note, face, plan.cell_width // 2) if cell.note else ""
    beside = int(face.getlength(note) + space) if note else 0
    name = fit(cell.name, face, plan.cell_width - beside)
    pen.text(at, name, fill=_INK, font=face)
    if note:
        pen.text((at[0] + face.getlength(name) + space, at[1]), note, fill=_FAINT, font=face)


def _draw_panels(
    picture: Image.Image,
    cell: Cell,
    shapes: Sequence[tuple[int, int] | None],
    *,
    plan: _Plan,
    at: tuple[int, int],
    spec: LabelSpec,
) -> tuple[Box | None, ...]:
    boxes: list[Box | None] = []
    left, top = at
    for panel, shape, width in zip(cell.panels, shapes, plan.panel_widths, strict=True):
        if panel is None or shape is None:
            face = font(round(13 * plan.unit))
            text = fit("cannot be read", face, width)
            ImageDraw.Draw(picture).text((left, top), text, fill=_FAINT, font=face)
            boxes.append(None)
        else:
            box = (left, top, left + shape[1], top + shape[0])
            draw_panel(picture, panel, box, spec=spec, thickness=round(plan.unit))
            boxes.append(box)
        left += width + _SEAM
    return tuple(boxes)
