"""A class list as rows of a name and a colour, whatever the file they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dali_voc._repeats import find_twice
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec, usual_void

__all__ = ["as_color", "class_indices", "spec_from_rows"]

# what such files call pixels of no class
_VOID = ("void", "unlabelled", "unlabeled", "ignore", "ignored")


def class_indices(
    names: Sequence[str], path: Path
) -> tuple[tuple[str, ...], tuple[int | None, ...]]:
    """Return the classes among rows' names, and each row's class; None: its pixels are ignored.

    Raises:
        DatasetError: there are no classes.
    """
    classes = tuple(name for name in names if name.lower() not in _VOID)
    if not classes:
        raise DatasetError(f"{path}: found no classes, expected a row for each")
    return classes, tuple(None if n.lower() in _VOID else classes.index(n) for n in names)


def spec_from_rows(rows: Sequence[tuple[str, Color]], path: Path) -> LabelSpec:
    """Return the classes that rows are, but for those that are called Void, Ignored or Unlabelled.

    Their pixels are ignored. A row's number, from 0 and with these rows counted, is its value in
    gray labels.

    Args:
        rows: names and colours.
        path: of their file, for errors.

    Raises:
        DatasetError: there are no classes, or a name or a colour is there twice.
    """
    classes, indices = class_indices([name for name, _ in rows], path)
    colors = [color for _, color in rows]
    same_name, same_color = find_twice(classes), find_twice(colors)
    if same_name is not None or same_color is not None:
        twice = f"the colour {same_color}" if same_name is None else repr(same_name)
        raise DatasetError(f"{path}: found {twice} more than once, expected each once")
    void_value = usual_void(len(rows))
    return LabelSpec(
        classes=classes,
        colors=tuple(color for color, i in zip(colors, indices, strict=True) if i is not None),
        void_colors=tuple(color for color, i in zip(colors, indices, strict=True) if i is None),
        void_values=(void_value,),
        maps=(
            LabelMap(
                values=(*enumerate(indices), (void_value, None)),
                colors=tuple(zip(colors, indices, strict=True)),
            ),
        ),
    )


def as_color(cells: Sequence[str]) -> Color | None:
    """Return three texts as red, green and blue; None: they are none."""
    parts = [int(cell) if cell.isdecimal() and len(cell) < 10 else -1 for cell in cells]
    if len(parts) != 3 or not all(0 <= part <= 255 for part in parts):
        return None
    return parts[0], parts[1], parts[2]
