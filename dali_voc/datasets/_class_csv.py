"""Class lists as CSV: `class_dict.csv`, a row of name and colour for each, or values and names."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from dali_voc._repeats import find_twice
from dali_voc.datasets._class_rows import as_color, spec_from_rows
from dali_voc.datasets._class_text import read_class_text
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelMap, LabelSpec

__all__ = ["read_class_csv"]

_COLORS = ["name", "r", "g", "b"]
_VALUES = ["pixel value", "class"]
_EXPECTED = "name,r,g,b, or Pixel Value,Class"
_MOST = 65535


def read_class_csv(path: Path) -> LabelSpec:
    """Read a file with the header `name,r,g,b`, or Roboflow's, `Pixel Value, Class`.

    For the first see `spec_from_rows`. In the second the values are those of gray labels, and 255
    is ignored if it is none of them.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    text = read_class_text(path, expected=f"rows of {_EXPECTED}")
    try:
        lines = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    except csv.Error as e:
        raise DatasetError(f"{path}: found no table ({e}), expected rows of {_EXPECTED}") from None
    lines = [row for row in lines if any(row)]
    header = [cell.lower() for cell in lines[0]] if lines else []
    if header == _COLORS:
        return _by_color(lines[1:], path)
    if header == _VALUES:
        return _by_value(lines[1:], path)
    found = ",".join(lines[0]) if lines else ""
    raise DatasetError(f"{path}: found the header {found!r}, expected {_EXPECTED}")


def _by_color(lines: list[list[str]], path: Path) -> LabelSpec:
    rows = []
    for row in lines:
        color = as_color(row[1:])
        if not row[0] or color is None:
            raise DatasetError(
                f"{path}: found the row {','.join(row)!r}, expected a name and three values from 0 "
                "to 255"
            )
        rows.append((row[0], color))
    return spec_from_rows(rows, path)


def _by_value(lines: list[list[str]], path: Path) -> LabelSpec:
    rows = []
    for row in lines:
        number = int(row[0]) if row[0].isdecimal() and len(row[0]) < 10 else _MOST + 1
        if len(row) != 2 or number > _MOST or not row[1]:
            raise DatasetError(
                f"{path}: found the row {','.join(row)!r}, expected a value from 0 to {_MOST} and "
                "a name"
            )
        rows.append((number, row[1]))
    if not rows:
        raise DatasetError(f"{path}: found no classes, expected a row for each")
    values, names = zip(*sorted(rows), strict=True)
    twice = find_twice(values) if find_twice(names) is None else find_twice(names)
    if twice is not None:
        raise DatasetError(f"{path}: found {twice!r} more than once, expected each once")
    void = () if 255 in values else (255,)
    return LabelSpec(
        classes=names,
        colors=distinct_colors(len(names)),
        void_values=void,
        maps=(
            LabelMap(
                values=(
                    *((value, i) for i, value in enumerate(values)),
                    *((value, None) for value in void),
                )
            ),
        ),
    )
