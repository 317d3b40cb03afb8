"""The contact sheet: rows of cells, each some panels side by side with a name, and a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from dali_voc.errors import ConfigError
from dali_voc.labels import LabelSpec
from dali_voc.previewing._codes import Entry, paint
from dali_voc.previewing._legend import legend_size, draw_legend
from dali_voc.previewing._shown import Window
from dali_voc.previewing._text import fit, font

__all__ = ["Cell", "Panel", "Sheet", "draw_sheet"]

Box = tuple[int, int, int, int]  # left, top, right, bottom

_MARGIN = 24
_GAP = 24  # between cells
_SEAM = 6  # between the panels of a cell
_NAME = 22  # height of a line with a name
_TITLE = 34
_HEADING = 20
_LEAST_WIDTH = 420  # of the sheet: a title is to be read
_LEAST_SIDE = 160  # of a panel: smaller pictures are shown with larger pixels
_ASPECT = 1.4  # of the sheet, about
_LARGEST = 120_000_000  # pixels
_INK, _FAINT, _FRAME = (34, 34, 34), (118, 118, 118), (160, 160, 160)


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """A picture, or a label.

    Attributes:
        pixels: uint8 [height, width, 3], or codes, int32 [height, width].
        window: drawn as a frame.
    """

    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.int32]
    window: Window | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """What belongs to one sample.

    Attributes:
        name: of the sample.
        note: stands behind it.
        panels: side by side, as many in every cell; None: there is nothing to show.
    """

    name: str
    note: str = ""
    panels: tuple[Panel | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A sheet.

    Attributes:
        picture: RGB.
        boxes: where each panel of each cell is: left, top, right, bottom.
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
    shapes = [
        [_scaled_shape(panel, size) if panel else None for panel in cell.panels] for cell in cells
    ]
    widths = [max((s[1] for s in column if s), default=_LEAST_SIDE) for column in zip(*shapes)]
    heights = [max((s[0] for s in row if s), default=_LEAST_SIDE) for row in shapes]
    cell_width = sum(widths) + _SEAM * (len(widths) - 1)
    columns = min(columns or _columns(len(cells), cell_width, max(heights)), len(cells))
    rows = [max(heights[i : i + columns]) for i in range(0, len(cells), columns)]
    body_width = columns * (cell_width + _GAP) - _GAP
    width = max(body_width + 2 * _MARGIN, _LEAST_WIDTH)
    inner = width - 2 * _MARGIN
    top = _MARGIN + (_TITLE if title else 0) + (_HEADING if headings else 0)
    body_height = sum(rows) + len(rows) * (_NAME + _GAP)
    height = top + body_height + legend_size(entries, width=inner)[1] + _MARGIN
    _check_size(len(cells), width, height)
    picture = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(picture)
    if title:
        face = font(16, bold=True)
        pen.text((_MARGIN, _MARGIN - 4), fit(title, face, inner), fill=_INK, font=face)
    boxes: list[tuple[Box | None, ...]] = []
    for i, cell in enumerate(cells):
        row, column = divmod(i, columns)
        left = _MARGIN + column * (cell_width + _GAP)
        upper = top + sum(rows[:row]) + row * (_NAME + _GAP)
        if row == 0:
            _head(pen, headings, widths, left, upper - _HEADING)
        boxes.append(_place(picture, cell, shapes[i], widths, left, upper, spec))
        _caption(pen, cell, left, upper + rows[row] + 5, cell_width)
    draw_legend(picture, entries, left=_MARGIN, top=top + body_height, width=inner)
    return Sheet(picture=picture, boxes=tuple(boxes))


def _columns(cells: int, width: int, height: int) -> int:
    """Return with how many columns the sheet comes nearest to the usual shape."""

    def misfit(columns: int) -> float:
        rows = -(-cells // columns)
        aspect = columns * (width + _GAP) / (rows * (height + _NAME + _GAP))
        empty = rows * columns - cells
        return abs(math.log(aspect / _ASPECT)) + 0.3 * empty / columns

    return min(range(1, cells + 1), key=misfit)


def _check_size(cells: int, width: int, height: int) -> None:
    if width * height > _LARGEST:
        raise ConfigError(
            f"--count: {cells} samples make a sheet of {width} x {height} pixels, expected at most "
            f"{_LARGEST // 10**6} million: show fewer samples or take a smaller --size"
        )


def _scaled_shape(panel: Panel, size: int) -> tuple[int, int]:
    height, width = panel.pixels.shape[:2]
    longest = max(height, width)
    if longest > size:
        return max(1, round(height * size / longest)), max(1, round(width * size / longest))
    times = -(-min(_LEAST_SIDE, size) // longest) if longest < _LEAST_SIDE else 1
    times = max(1, min(times, size // longest))
    return height * times, width * times


def _head(
    pen: ImageDraw.ImageDraw, headings: Sequence[str], widths: Sequence[int], left: int, top: int
) -> None:
    face = font(12)
    for heading, width in zip(headings, widths, strict=False):
        pen.text((left, top), fit(heading, face, width), fill=_FAINT, font=face)
        left += width + _SEAM


def _caption(pen: ImageDraw.ImageDraw, cell: Cell, left: int, top: int, width: int) -> None:
    face = font(13)
    note = fit(cell.note, face, width // 2) if cell.note else ""
    space = int(face.getlength(note)) + 12 if note else 0
    name = fit(cell.name, face, width - space)
    pen.text((left, top), name, fill=_INK, font=face)
    if note:
        pen.text((left + face.getlength(name) + 12, top), note, fill=_FAINT, font=face)


def _place(
    picture: Image.Image,
    cell: Cell,
    shapes: Sequence[tuple[int, int] | None],
    widths: Sequence[int],
    left: int,
    top: int,
    spec: LabelSpec,
) -> tuple[Box | None, ...]:
    boxes: list[Box | None] = []
    pen = ImageDraw.Draw(picture)
    for panel, shape, width in zip(cell.panels, shapes, widths, strict=True):
        if panel is None or shape is None:
            pen.text((left, top), "cannot be read", fill=_FAINT, font=font(13))
            boxes.append(None)
        else:
            height = shape[0]
            box = (left, top, left + shape[1], top + height)
            # the frame is around the pixels, not on them
            pen.rectangle((left - 1, top - 1, box[2], box[3]), outline=_FRAME)
            picture.paste(_scale(panel, shape, spec), (left, top))
            if panel.window is not None:
                _frame(pen, panel, box)
            boxes.append(box)
        left += width + _SEAM
    return tuple(boxes)


def _scale(panel: Panel, shape: tuple[int, int], spec: LabelSpec) -> Image.Image:
    pixels = panel.pixels
    old, new = pixels.shape[:2], shape
    if pixels.ndim == 3 and new[0] < old[0]:
        image = Image.fromarray(pixels.astype(np.uint8, copy=False))
        return image.resize((new[1], new[0]), Image.Resampling.BOX)
    # the nearest pixel: colours in between would be those of other classes
    y, x = (
        (np.arange(after) * 2 + 1) * before // (2 * after)
        for before, after in zip(old, new, strict=True)
    )
    near = pixels[y[:, None], x]
    if near.ndim == 2:
        near = paint(near.astype(np.int32, copy=False), spec)
    return Image.fromarray(near.astype(np.uint8, copy=False))


def _frame(pen: ImageDraw.ImageDraw, panel: Panel, box: Box) -> None:
    """Draw the window on a panel, to be seen on light and on dark."""
    assert panel.window is not None
    left, top, right, bottom = box
    height, width = panel.pixels.shape[:2]
    by_y, by_x = (bottom - top) / height, (right - left) / width
    y0, x0, y1, x1 = panel.window
    outer = (
        max(left, left + round(x0 * by_x)),
        max(top, top + round(y0 * by_y)),
        min(right, left + round(x1 * by_x)) - 1,
        min(bottom, top + round(y1 * by_y)) - 1,
    )
    for inset, color in enumerate(((0, 0, 0), (255, 255, 255), (255, 255, 255), (0, 0, 0))):
        edge = (outer[0] + inset, outer[1] + inset, outer[2] - inset, outer[3] - inset)
        if edge[0] < edge[2] and edge[1] < edge[3]:
            pen.rectangle(edge, outline=color)
