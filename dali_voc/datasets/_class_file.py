"""The class list of a data set as a file, where it is not known from the data set's name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dali_voc._json_files import first_problem, read_json
from dali_voc._near_match import near_match
from dali_voc.datasets._class_colors import are_colors, spec_from_colors
from dali_voc.datasets._class_csv import read_class_csv
from dali_voc.datasets._class_labelmap import read_labelmap
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelSpec, usual_void

__all__ = ["locate_class_file", "read_classes", "spec_from_dict"]

_ADAPTER = TypeAdapter(LabelSpec)


def locate_class_file(path: Path, root: Path) -> Path:
    """Return where a class file is: as its path says, or else below the data set's root."""
    beside = root / path
    return beside if not path.is_file() and beside.is_file() else path


def read_classes(path: Path) -> LabelSpec:
    """Read a file `{"classes": ["road", ...], "colors": [[128, 64, 128], ...]}`.

    Further keys that it may have are those of `dali_voc.labels.LabelSpec`. Names with colours alone
    are read by `spec_from_colors`, and files whose names end in `.csv` or `.txt` by
    `read_class_csv` and `read_labelmap`.

    Raises:
        DatasetError: the file cannot be read, or is no such file.
    """
    kind = path.suffix.lower()
    if kind == ".csv":
        return read_class_csv(path)
    if kind == ".txt":
        return read_labelmap(path)
    values = read_json(path, expected="classes and colors")
    return spec_from_colors(values, path) if are_colors(values) else spec_from_dict(values, path)


def spec_from_dict(values: Any, path: Path) -> LabelSpec:
    """Check what stands in a file of JSON.

    Raises:
        DatasetError: it is not a class list.
    """
    if not isinstance(values, dict):
        raise DatasetError(
            f"{path}: not a class list, expected "
            '{"classes": ["road", ...], "colors": [[128, 64, 128], ...]}'
        )
    known = [field.name for field in dataclasses.fields(LabelSpec)]
    # others, such as a description, are for other programs
    for unknown in (key for key in values if key not in known):
        hint = near_match(unknown, known)
        if hint:
            raise DatasetError(f"{path}: not a class list (unknown key {unknown!r}{hint})")
    if isinstance(values.get("classes"), list):
        values = {"void_values": [usual_void(len(values["classes"]))], **values}
    try:
        spec = _ADAPTER.validate_python(values)
    except ValidationError as e:
        raise DatasetError(f"{path}: not a class list ({first_problem(e)})") from None
    if not spec.classes:
        raise DatasetError(f"{path}: not a class list (classes: found none)")
    return spec
