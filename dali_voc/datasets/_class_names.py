"""Files that say what classes are called, and nothing of their colours."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from dali_voc.datasets._class_labelmap import is_labelmap
from dali_voc.datasets._class_text import read_class_text
from dali_voc.errors import DatasetError

__all__ = ["read_class_names"]


def read_class_names(path: Path) -> tuple[str, ...] | None:
    """Return the names that a file lists; None: it is a class file of another kind.

    A name a line in `.txt`, where a first line `__ignore__` is labelme's for what is ignored; in
    `.json` a list of names, or `{"0": "road", "1": "car"}` as Hugging Face's `id2label`, or
    `{"road": 0, "car": 1}`.

    Raises:
        DatasetError: the file cannot be read, has no names, or numbers that are not 0, 1, 2, ...
    """
    kind = path.suffix.lower()
    if kind not in (".txt", ".json"):
        return None
    text = read_class_text(path, expected="the names of classes")
    if kind == ".txt":
        if is_labelmap(text):
            return None
        names = [line.strip() for line in text.split("\n") if line.strip()]
        names = names[1:] if names[:1] == ["__ignore__"] else names
        for name in names:  # of other programs
            if name.startswith("#") or re.search(r"\d+[,\s]+\d+[,\s]+\d+", name):
                raise DatasetError(
                    f"{path}: found {name!r}, expected the name of a class on each line; colours "
                    "stand in a class_dict.csv or JSON"
                )
    else:
        try:
            found = _in_order(json.loads(text), path)
        except (ValueError, RecursionError):
            return None  # whoever reads class files says what is wrong
        if found is None:
            return None
        names = found
    if not names:
        raise DatasetError(f"{path}: found no classes, expected a name for each")
    return tuple(names)


def _in_order(values: Any, path: Path) -> list[str] | None:
    if isinstance(values, dict) and _are_numbers_of_names(values):
        values = {str(number): name for name, number in values.items()}
    if isinstance(values, dict) and values and all(key.isdecimal() for key in values):
        numbers = sorted(map(int, values))
        if numbers != list(range(len(values))):
            raise DatasetError(
                f"{path}: found classes numbered {numbers[0]} to {numbers[-1]}, expected each "
                f"number from 0 to {len(values) - 1}"
            )
        values = [name for _, name in sorted(values.items(), key=lambda item: int(item[0]))]
    if isinstance(values, list) and all(isinstance(name, str) for name in values):
        return values
    return None


def _are_numbers_of_names(values: dict[str, Any]) -> bool:
    if not all(type(number) is int for number in values.values()):
        return False
    return len({*values.values()}) == len(values) and not all(key.isdecimal() for key in values)
