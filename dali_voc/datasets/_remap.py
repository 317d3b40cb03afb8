"""Other classes than a data set's own: `dataset.classes` and `dataset.map`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dali_voc._near_match import near_match
from dali_voc._repeats import find_twice
from dali_voc.datasets._class_file import read_classes
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.datasets._options import LabelKey
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec, usual_void

__all__ = ["class_list", "class_table", "in_colors", "remap"]

REST = "*"


def class_list(classes: tuple[str, ...] | Path) -> LabelSpec:
    """Return classes that are named, in VOC's colours, or those of a file."""
    if isinstance(classes, Path):
        return read_classes(classes)
    twice = find_twice(classes)
    if twice is not None:
        raise DatasetError(f"dataset.classes: {twice!r} is there twice")
    return LabelSpec(
        classes=classes,
        colors=distinct_colors(len(classes)),
        void_values=(usual_void(len(classes)),),
    )


def in_colors(spec: LabelSpec, wanted: Mapping[int, Color]) -> LabelSpec:
    """Return the spec that shows some classes in these colours, the others in ones apart."""
    used: set[Color] = set()
    colors: dict[int, Color] = {}
    for index, color in wanted.items():
        if color not in used:
            colors[index] = color
            used.add(color)
    n = len(spec.classes)
    others = iter(distinct_colors(2 * n))
    for index in range(n):
        if index in colors:
            continue
        color = spec.colors[index]
        while color in used:
            color = next(others)
        colors[index] = color
        used.add(color)
    return dataclasses.replace(spec, shown=tuple(colors[index] for index in range(n)))


def remap(
    spec: LabelSpec,
    *,
    classes: tuple[str, ...] | Path | None,
    mapping: Mapping[LabelKey, str | None] | None,
) -> LabelSpec:
    """Return a spec of other classes for the same label files.

    A class of the data set becomes the one that `mapping` gives for its name, else the one of the
    same name; "*" is for those that are left. Values and colours in `mapping` go before all that.

    Args:
        spec: the data set's own.
        classes: the new classes; None: the data set's own.
        mapping: what becomes of values, colours and class names; None: ignored.

    Raises:
        DatasetError: a class is to become one that is not there, or nothing says what it becomes.
    """
    wanted = spec if classes is None else class_list(classes)
    plan = _Plan(spec=spec, wanted=wanted, mapping=mapping or {})
    plan.check()
    try:
        maps = tuple(plan.apply(label_map) for label_map in spec.label_maps())
    except ValueError as e:
        raise DatasetError(f"dataset.map: {e}") from None
    changed = dataclasses.replace(wanted, maps=maps)
    if classes is None or isinstance(classes, Path):
        return changed
    shown: dict[int, Color] = {}
    for name, color in zip(spec.classes, spec.display_colors, strict=True):
        with suppress(DatasetError):  # by values or colours alone
            index = plan.becomes(name)
            # rather of the class of that name than of another that becomes it
            if index is not None and (index not in shown or classes[index] == name):
                shown[index] = color
    return in_colors(changed, shown)


def class_table(
    spec: LabelSpec,
    *,
    classes: tuple[str, ...] | Path | None,
    mapping: Mapping[LabelKey, str | None] | None,
) -> npt.NDArray[np.int64]:
    """Return what becomes of each class; -1: ignored. For labels whose classes are known by file.

    Args:
        spec: the data set's own.
        classes: as for `remap`.
        mapping: likewise, but of class names alone.

    Raises:
        DatasetError: as for `remap`; or a key is a value or a colour.
    """
    for key in mapping or {}:
        if not isinstance(key, str):
            raise DatasetError(
                f"dataset.map: found the key {key!r}, expected a class: values and colours mean "
                "something else in each file of this data set"
            )
    plan = _Plan(
        spec=spec, wanted=spec if classes is None else class_list(classes), mapping=mapping or {}
    )
    plan.check()
    places = [plan.becomes(name) for name in spec.classes]
    return np.array([-1 if place is None else place for place in places], np.int64)


@dataclass(frozen=True, kw_only=True)
class _Plan:
    spec: LabelSpec
    wanted: LabelSpec
    mapping: Mapping[LabelKey, str | None]

    def check(self) -> None:
        for key, name in self.mapping.items():
            if name is not None and name not in self.wanted.classes:
                hint = near_match(name, self.wanted.classes)
                raise DatasetError(
                    f"dataset.map: {key!r} becomes {name!r}, which is no class{hint}"
                )
            if isinstance(key, str) and key != REST and key not in self.spec.classes:
                hint = near_match(key, self.spec.classes)
                raise DatasetError(f"dataset.map: the data set has no class {key!r}{hint}")

        if REST in self.mapping and self.wanted is self.spec:
            raise DatasetError(
                f"dataset.map: '{REST}' has no effect without dataset.classes: every class that "
                "has no entry stays what it is"
            )

    def apply(self, label_map: LabelMap) -> LabelMap:
        values = {k: self._new(i) for k, i in label_map.values if k not in self.mapping}
        colors = {k: self._new(i) for k, i in label_map.colors if k not in self.mapping}
        for key, name in self.mapping.items():
            if isinstance(key, int):
                values[key] = self._index(name)
            elif isinstance(key, tuple):
                colors[key] = self._index(name)
        return LabelMap(
            values=tuple(values.items()),
            colors=tuple(colors.items()),
            colors_guessed=label_map.colors_guessed,
        )

    def _new(self, index: int | None) -> int | None:
        return None if index is None else self.becomes(self.spec.classes[index])

    def becomes(self, name: str) -> int | None:
        if name in self.mapping:
            return self._index(self.mapping[name])
        if name in self.wanted.classes:
            return self._index(name)
        if REST in self.mapping:
            return self._index(self.mapping[REST])
        raise DatasetError(
            f"dataset.map: says nothing of the data set's class {name!r}, which is none of the new "
            f"classes; expected an entry, or one for '{REST}'"
        )

    def _index(self, name: str | None) -> int | None:
        return None if name is None else self.wanted.classes.index(name)
