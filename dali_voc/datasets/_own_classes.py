"""The classes of a data set that has none of its own: `dataset.classes` and `dataset.map`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from dali_voc._near_match import near_match
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._remap import class_list, in_colors
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec, usual_void, voc_colormap

__all__ = ["own_classes", "reduce_zero"]

# where palettes are VOC's, as labelling tools write them, entry 255 has this colour
_BORDER = voc_colormap(256)[255]
# what tools and data sets call theirs
_CLASS_FILES = (
    "labelmap.txt",
    "_classes.csv",
    "train/_classes.csv",
    "obj_class_to_machine_color.json",
    "class_dict.csv",
    "class_mapping.csv",
    "label_colors.txt",
    "classes.json",
    "id2label.json",
    "class_names.txt",
    "labels.txt",
    "classes.txt",
)


def own_classes(name: str, options: DatasetOptions, *, root: Path | None = None) -> LabelSpec:
    """Return what label values mean, by the configuration alone.

    Without a map a value is the index of a class, and colours are the class list's, or VOC's for
    plain names, with VOC's border as void: a guess, which palettes may contradict. Values in a map
    take the place of these indices, colours that of these colours. Where a map has values alone,
    the colours of plain names tell nothing of the files. Void stays void unless the map says
    otherwise.

    Args:
        name: what errors call the data set.
        options: its keys.
        root: its folder, in which there may be a class file that nobody has named.

    Raises:
        DatasetError: there are no classes, or the map does not fit them.
    """
    if options.classes is None:
        there = [file for file in _CLASS_FILES if root and (root / file).is_file()]
        hint = f"; there is {there[0]}" if there else ""
        raise DatasetError(
            f"dataset.classes: found null, expected names or a file: {name} has no classes of its "
            f"own{hint}"
        )
    spec = class_list(options.classes)
    if not isinstance(options.classes, Path) and _BORDER not in spec.colors:
        spec = dataclasses.replace(spec, void_colors=(_BORDER,))
    if options.map is None:
        if isinstance(options.classes, Path):
            return spec
        return dataclasses.replace(spec, colors_guessed=True)
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
    own_colors = _colors_of_files(spec, options) if values else own.colors
    void_values = dict.fromkeys(spec.void_values, None)
    void_colors = dict.fromkeys(spec.void_colors, None)
    try:
        label_map = LabelMap(
            values=tuple({**void_values, **values}.items()) if values else own.values,
            colors=tuple({**void_colors, **colors}.items()) if colors else own_colors,
        )
    except ValueError as e:
        raise DatasetError(f"dataset.map: {e}") from None
    spec = dataclasses.replace(spec, maps=(label_map,))
    shown = {index: color for color, index in reversed(colors.items()) if index is not None}
    return in_colors(spec, shown) if shown else spec


def reduce_zero(spec: LabelSpec, options: DatasetOptions) -> LabelSpec:
    """Return the spec of files in which 0 is void and the first class is 1.

    That is the key `reduce_zero_label` of mmsegmentation.

    Args:
        spec: of `own_classes`.
        options: the same.

    Raises:
        DatasetError: there is a map, too.
    """
    if options.map is not None:
        raise DatasetError(
            "dataset.map: found one beside labels: reduce_zero_label, which says what values mean; "
            "expected either"
        )
    n = len(spec.classes)
    values = {usual_void(n + 1): None, 0: None} | {i + 1: i for i in range(n)}
    label_map = LabelMap(values=tuple(values.items()), colors=_colors_of_files(spec, options))
    return dataclasses.replace(spec, maps=(label_map,))


def _colors_of_files(
    spec: LabelSpec, options: DatasetOptions
) -> tuple[tuple[Color, int | None], ...]:
    """Return the colours that files may have: those of plain names are made up."""
    return spec.label_maps()[0].colors if isinstance(options.classes, Path) else ()
