"""Class lists as CSV: `class_dict.csv`, a row of name and colour for each, or values and names."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from dali_voc._repeats import find_twice
from dali_voc.datasets._class_rows import as_color, class_indices, spec_from_rows
from dali_voc.datasets._class_text import read_class_text
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelMap, LabelSpec, usual_void

__all__ = ["read_class_csv"]

_COLORS = ["name", "r", "g", "b"]
_VALUES = ["pixel value", "class"]
_EITHER = ["class_name", "class_color"]
_EXPECTED = "name,r,g,b, or Pixel Value,Class, or class_name,class_color"
_MOST = 65535


def read_class_csv(path: Path) -> LabelSpec:
    """Read a file with the header `name,r,g,b`, or Roboflow's, `Pixel Value, Class`, or V7's.

    For the first see `spec_from_rows`. In the second the values are those of gray labels, and 255
    is ignored if it is none of them (65535 where there are more than 255). V7's,
    `class_name,class_color`, has three numbers in its second column, `0 128 0`, or a value.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    text = read_class_text(path, expected=f"rows of {_EXPECTED}")
    try:
        table = csv.reader(io.StringIO(text), skipinitialspace=True)
        lines = [[cell.strip() for cell in row] for row in table]
    except csv.Error as e:
        raise DatasetError(f"{path}: found no table ({e}), expected rows of {_EXPECTED}") from None
    lines = [row for row in lines if any(row)]
    header = [cell.lower() for cell in lines[0]] if lines else []
    if header == _COLORS:
        return _by_color(lines[1:], path)
    if header == _VALUES:
        return _by_value(lines[1:], path)
    if header == _EITHER and any(" " in row[-1] for row in lines[1:]):
        return _by_color([[row[0], *" ".join(row[1:]).split()] for row in lines[1:]], path)
    if header == _EITHER:
        return _by_value(
            [[row[1], row[0]] if len(row) == 2 else ["", *row] for row in lines[1:]], path
        )
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
    for first, *rest in lines:
        row = [first, ",".join(rest)]  # a name may have a comma
        number = int(row[0]) if row[0].isdecimal() and len(row[0]) < 10 else _MOST + 1
        if number > _MOST or not row[1]:
            raise DatasetError(
                f"{path}: found the row {','.join(row)!r}, expected a value from 0 to {_MOST} and "
                "a name"
            )
        rows.append((number, row[1]))
    rows.sort()
    values, names = [value for value, _ in rows], [name for _, name in rows]
    classes, indices = class_indices(names, path)
    twice = find_twice(values) if find_twice(names) is None else find_twice(names)
    if twice is not None:
        raise DatasetError(f"{path}: found {twice!r} more than once, expected each once")
    void = usual_void(len(classes))
    usual = () if void in values else ((void, None),)
    return LabelSpec(
        classes=classes,
        colors=distinct_colors(len(classes)),
        void_values=tuple(value for value, _ in usual),
        maps=(LabelMap(values=(*zip(values, indices, strict=True), *usual)),),
    )
