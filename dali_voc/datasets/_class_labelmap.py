"""CVAT's and Datumaro's class list, `labelmap.txt`: `name:r,g,b:parts:actions` a line."""

from __future__ import annotations

import re
from pathlib import Path

from dali_voc.datasets._class_rows import as_color, spec_from_rows
from dali_voc.datasets._class_text import read_class_text
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelSpec

__all__ = ["is_labelmap", "read_labelmap"]

_ROW = re.compile(r"(?P<name>.+):(?P<color>[\d\s]+,[\d\s]+,[\d\s]+):[^:]*:[^:]*")


def is_labelmap(text: str) -> bool:
    """Return whether the first line that is no remark is one of such a file."""
    rows = _rows(text)
    return bool(rows) and _ROW.fullmatch(rows[0]) is not None


def read_labelmap(path: Path) -> LabelSpec:
    """Read such a file; see `spec_from_rows`. What parts and actions there are is passed over.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    rows = []
    for row in _rows(read_class_text(path, expected="rows of name:r,g,b::")):
        found = _ROW.fullmatch(row)
        color = as_color([cell.strip() for cell in found["color"].split(",")]) if found else None
        if found is None or color is None:
            raise DatasetError(
                f"{path}: found the row {row!r}, expected a name and three values from 0 to 255, "
                "name:r,g,b::"
            )
        rows.append((found["name"].strip(), color))
    return spec_from_rows(rows, path)


def _rows(text: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]
