"""The classes of a data set that has none of its own: `dataset.classes` and `dataset.map`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from dali_voc._config_errors import near_match
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._remap import class_list, in_colors
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec, voc_colormap

__all__ = ["own_classes"]

# where palettes are VOC's, as labelling tools write them, entry 255 has this colour
_BORDER = voc_colormap(256)[255]


def own_classes(name: str, options: DatasetOptions) -> LabelSpec:
    """Return what label values mean, by the configuration alone.

    Without a map a value is the index of a class, and colours are the class list's, or VOC's for
    plain names, with VOC's border as void. Values in a map take the place of these indices, colours
    that of these colours. Void stays void unless the map says otherwise.

    Args:
        name: what errors call the data set.
        options: its keys.

    Raises:
        DatasetError: there are no classes, or the map does not fit them.
    """
    if options.classes is None:
        raise DatasetError(
            f"dataset.classes: found null, expected names or a file: {name} has no classes of its "
            "own"
        )
    spec = class_list(options.classes)
    if not isinstance(options.classes, Path) and _BORDER not in spec.colors:
        spec = dataclasses.replace(spec, void_colors=(_BORDER,))
    if options.map is None:
        return spec
    values: dict[int, int | None] = {}
    colors: dict[Color, int | None] = {}
    for key, class_name in options.map.items():
        if isinstance(key, str):
            raise DatasetError(
                f"dataset.map: found the key {key!r}, expected a value or a colour: {name} has no "
                "classes of its own"
            )
        if class_name is not None and class_name not in spec.classes:
            hint = near_match(class_name, spec.classes)
            raise DatasetError(
                f"dataset.map: {key!r} becomes {class_name!r}, which is no class{hint}"
            )
        index = None if class_name is None else spec.classes.index(class_name)
        if isinstance(key, int):
            values[key] = index
        else:
            colors[key] = index
    own = spec.label_maps()[0]
    void_values = dict.fromkeys(spec.void_values, None)
    void_colors = dict.fromkeys(spec.void_colors, None)
    try:
        label_map = LabelMap(
            values=tuple({**void_values, **values}.items()) if values else own.values,
            colors=tuple({**void_colors, **colors}.items()) if colors else own.colors,
        )
    except ValueError as e:
        raise DatasetError(f"dataset.map: {e}") from None
    spec = dataclasses.replace(spec, maps=(label_map,))
    shown = {index: color for color, index in reversed(colors.items()) if index is not None}
    return in_colors(spec, shown) if shown else spec
