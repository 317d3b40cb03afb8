"""The class list of Mapillary Vistas: `config_v1.2.json` and the like."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from dali_voc._json_files import first_problem, read_json
from dali_voc._repeats import find_twice
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelMap, LabelSpec

__all__ = ["read_mapillary_classes"]

_Byte = Annotated[int, Field(ge=0, le=255)]


class _Label(BaseModel):
    name: str
    readable: str
    evaluate: bool
    color: tuple[_Byte, _Byte, _Byte]


class _Labels(BaseModel):
    labels: Annotated[list[_Label], Field(min_length=1, max_length=256)]


def read_mapillary_classes(path: Path) -> LabelSpec:
    """Read `{"labels": [{"name": ..., "readable": ..., "evaluate": ..., "color": ...}, ...]}`.

    A label's place in the list is its value in files. Those with `evaluate` are classes, called by
    their `readable` names, or where two share one by their `name`; the others are void.

    Raises:
        DatasetError: the file cannot be read, or is no such list.
    """
    values = read_json(path, expected="a list of labels")
    try:
        found = _Labels.model_validate(values).labels
    except ValidationError as e:
        raise DatasetError(
            f"{path}: not a list of Mapillary's labels ({first_problem(e)})"
        ) from None
    classes = [label for label in found if label.evaluate]
    names = [label.readable for label in classes]
    if find_twice(names) is not None:
        names = [label.name for label in classes]
    twice = find_twice(names)
    if twice is not None or not names:
        problem = f"{twice!r} is there twice" if names else "none is evaluated"
        raise DatasetError(f"{path}: not a list of Mapillary's labels ({problem})")
    places = iter(range(len(classes)))
    values = tuple((k, next(places) if label.evaluate else None) for k, label in enumerate(found))
    return LabelSpec(
        classes=tuple(names),
        colors=tuple(label.color for label in classes),
        void_colors=tuple(label.color for label in found if not label.evaluate),
        maps=(LabelMap(values=values),),
    )
