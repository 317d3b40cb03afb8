"""The class list of a data set as `class_dict.csv`: a row of name and colour for each class."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from dali_voc._repeats import find_twice
from dali_voc.datasets._class_text import read_class_text
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec, usual_void

__all__ = ["read_class_csv"]

_COLUMNS = ["name", "r", "g", "b"]
# what such files call pixels of no class
_VOID = ("void", "unlabelled", "unlabeled")


def read_class_csv(path: Path) -> LabelSpec:
    """Read a file `name,r,g,b` with that header.

    Rows called Void, Unlabelled or Unlabeled are no classes: their pixels are ignored. A row's
    number, from 0 and with these rows counted, is its value in gray labels.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    rows = _read_rows(path)
    names = [name for name, _ in rows if name.lower() not in _VOID]
    indices = [None if name.lower() in _VOID else names.index(name) for name, _ in rows]
    if not names:
        raise DatasetError(f"{path}: found no classes, expected a row for each")
    same_name, same_color = find_twice(names), find_twice([color for _, color in rows])
    if same_name is not None or same_color is not None:
        twice = f"the colour {same_color}" if same_name is None else repr(same_name)
        raise DatasetError(f"{path}: found {twice} more than once, expected each once")
    void_value = usual_void(len(rows))
    return LabelSpec(
        classes=tuple(names),
        colors=tuple(color for (_, color), i in zip(rows, indices, strict=True) if i is not None),
        void_colors=tuple(color for (_, color), i in zip(rows, indices, strict=True) if i is None),
        void_values=(void_value,),
        maps=(
            LabelMap(
                values=(*enumerate(indices), (void_value, None)),
                colors=tuple((color, i) for (_, color), i in zip(rows, indices, strict=True)),
            ),
        ),
    )


def _read_rows(path: Path) -> list[tuple[str, Color]]:
    text = read_class_text(path, expected="rows of name,r,g,b")
    try:
        lines = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text))]
    except csv.Error as e:
        raise DatasetError(f"{path}: found no table ({e}), expected rows of name,r,g,b") from None
    lines = [row for row in lines if any(row)]
    if not lines or [cell.lower() for cell in lines[0]] != _COLUMNS:
        found = ",".join(lines[0]) if lines else ""
        raise DatasetError(f"{path}: found the header {found!r}, expected name,r,g,b")
    rows = []
    for row in lines[1:]:
        parts = [int(cell) if cell.isdecimal() and len(cell) < 10 else -1 for cell in row[1:]]
        if not row[0] or len(parts) != 3 or not all(0 <= part <= 255 for part in parts):
            raise DatasetError(
                f"{path}: found the row {','.join(row)!r}, expected a name and three values from 0 "
                "to 255"
            )
        rows.append((row[0], (parts[0], parts[1], parts[2])))
    return rows
