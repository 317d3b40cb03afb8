"""Class lists of CVAT and Datumaro: `name:r,g,b:parts:actions` a line, or CamVid's `r g b name`."""

from __future__ import annotations

import re
from pathlib import Path

from dali_voc.datasets._class_rows import as_color, spec_from_rows
from dali_voc.datasets._class_text import read_class_text
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelSpec

__all__ = ["is_labelmap", "read_labelmap"]

_ROWS = (
    re.compile(r"(?P<name>.+):(?P<color>[\d\s]+,[\d\s]+,[\d\s]+)?:[^:]*:[^:]*"),
    re.compile(r"(?P<color>\d+\s+\d+\s+\d+)\s+(?P<name>.+)"),
)


def is_labelmap(text: str) -> bool:
    """Return whether the first line that is no remark is one of such a file."""
    rows = _rows(text)
    return bool(rows) and any(kind.fullmatch(rows[0]) for kind in _ROWS)


def read_labelmap(path: Path) -> LabelSpec:
    """Read such a file; see `spec_from_rows`. What parts and actions there are is passed over.

    Rows without a colour have VOC's of their number, as Datumaro gives them.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    rows = []
    lines = _rows(read_class_text(path, expected="rows of name:r,g,b::"))
    kind = next((kind for kind in _ROWS if lines and kind.fullmatch(lines[0])), _ROWS[0])
    for row, usual in zip(lines, distinct_colors(len(lines)), strict=True):
        found = kind.fullmatch(row)
        color: Color | None = usual
        if found is None or found["color"]:
            color = as_color(re.split(r"[\s,]+", found["color"].strip())) if found else None
        if found is None or color is None:
            raise DatasetError(
                f"{path}: found the row {row!r}, expected a name and three values from 0 to 255, "
                f"{'name:r,g,b::' if kind is _ROWS[0] else 'r g b name'}"
            )
        rows.append((found["name"].strip(), color))
    return spec_from_rows(rows, path)


def _rows(text: str) -> list[str]:
    lines = [line.strip() for line in text.split("\n")]
    return [line for line in lines if line and not line.startswith("#")]
