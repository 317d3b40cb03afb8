"""Supervisely's class list, `obj_class_to_machine_color.json`: `{"road": [1, 1, 1], ...}`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeGuard

from dali_voc.datasets._class_rows import spec_from_rows
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.labels import Color, LabelMap, LabelSpec, usual_void

__all__ = ["are_colors", "spec_from_colors"]

_BLACK = (0, 0, 0)


def are_colors(values: Any) -> TypeGuard[dict[str, list[int]]]:
    """Return whether values from JSON are names with colours, and nothing else."""
    return (
        isinstance(values, dict)
        and bool(values)
        and all(
            isinstance(color, list)
            and len(color) == 3
            and all(type(part) is int and 0 <= part <= 255 for part in color)
            for color in values.values()
        )
    )


def spec_from_colors(values: dict[str, list[int]], path: Path) -> LabelSpec:
    """Return the classes that have such colours, by which labels are read.

    Black is the class "background", before the others, unless it is one of theirs: such files do
    not list what nobody has drawn on. Gray labels hold one of a colour's three values where they
    are alike. As such colours are nearly black, others are shown.

    Raises:
        DatasetError: a colour is there twice.
    """
    rows: list[tuple[str, Color]] = [(name, (r, g, b)) for name, (r, g, b) in values.items()]
    if _BLACK not in [color for _, color in rows]:
        has_one = "background" in map(str.lower, values)
        rows.insert(0, ("void" if has_one else "background", _BLACK))
    spec = spec_from_rows(rows, path)
    (label_map,) = spec.maps
    grays = tuple((color[0], i) for color, i in label_map.colors if len({*color}) == 1)
    void = () if usual_void(len(rows)) in dict(grays) else (usual_void(len(rows)),)
    own_values = (*grays, *((value, None) for value in void))
    return dataclasses.replace(
        spec,
        void_values=void,
        maps=(LabelMap(values=own_values, colors=label_map.colors),),
        shown=distinct_colors(len(spec.classes)),
    )
