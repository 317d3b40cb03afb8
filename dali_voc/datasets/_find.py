"""From section `dataset` of the configuration to the pairs of a split."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol

from dali_voc._near_match import near_match
from dali_voc.datasets import (
    ade20k,
    camvid,
    cityscapes,
    coco_panoptic,
    coco_stuff,
    folder,
    mapillary,
    packed,
    sources,
    voc,
    voc2012_aug,
    voc_layout,
    webdataset,
)
from dali_voc.datasets._class_file import locate_class_file
from dali_voc.datasets._class_names import read_class_names
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._index_file import read_index_file
from dali_voc.datasets._index_subject import IndexSubject
from dali_voc.datasets._options import Dataset, DatasetOptions
from dali_voc.datasets._remap import class_table, remap
from dali_voc.errors import DatasetError

__all__ = ["DATASETS", "DatasetSection", "dataset_names", "find_index", "find_pairs", "subject_of"]

GROUP = "dali_voc.datasets"


def _find_sources(
    root: Path, split: str, *, must_exist: bool, options: DatasetOptions
) -> PairIndex:
    return sources.find_pairs(root, split, must_exist=must_exist, options=options, find=find_pairs)


# Name in the configuration -> the data set. Others come as entry points of GROUP.
DATASETS: dict[str, Dataset] = {
    "voc2012": Dataset(find=voc.find_pairs, takes=("unlabeled",)),
    "voc2012_aug": Dataset(find=voc2012_aug.find_pairs, takes=("unlabeled",)),
    "voc_layout": Dataset(
        find=voc_layout.find_pairs,
        takes=("labels", "classes", "map", "unlabeled"),
        has_classes=False,
    ),
    "folder": Dataset(
        find=folder.find_pairs,
        takes=("labels", "classes", "map", "images", "masks", "unlabeled"),
        has_classes=False,
    ),
    "sources": Dataset(find=_find_sources, takes=("sources", "classes"), has_classes=False),
    "ade20k": Dataset(find=ade20k.find_pairs, takes=("labels", "unlabeled")),
    "camvid": Dataset(find=camvid.find_pairs, takes=("labels", "unlabeled")),
    "cityscapes": Dataset(find=cityscapes.find_pairs, takes=("labels", "unlabeled")),
    "coco_panoptic": Dataset(find=coco_panoptic.find_pairs, takes=("labels",)),
    "coco_stuff": Dataset(find=coco_stuff.find_pairs, takes=("unlabeled",)),
    "mapillary": Dataset(find=mapillary.find_pairs, takes=("labels", "unlabeled")),
    "packed": Dataset(find=packed.find_pairs, has_index=True),
    "webdataset": Dataset(find=webdataset.find_pairs, takes=("unlabeled",), has_index=True),
}


class DatasetSection(Protocol):
    """What is needed of section `dataset`."""

    @property
    def name(self) -> str:
        """Name of the data set."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def options(self) -> DatasetOptions:
        """Its further keys."""

    def index_file(self, split: str) -> Path | None:
        """The file that keeps the index of a split, if there is to be one."""


def dataset_names() -> tuple[str, ...]:
    """Return the names that `dataset.name` may have."""
    return (*DATASETS, *(entry.name for entry in entry_points(group=GROUP)))


@functools.cache
def _lookup(name: str) -> Dataset:
    if name in DATASETS:
        return DATASETS[name]
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        names = dataset_names()
        raise DatasetError(
            f"dataset.name: found {name!r}, expected one of: {', '.join(names)}"
            f"{near_match(name, names)}"
        )
    try:
        dataset = found[0].load()
    except Exception as e:  # of somebody else's module, which may raise anything
        raise DatasetError(
            f"dataset.name: {name!r} is {found[0].value}, which cannot be loaded "
            f"({type(e).__name__}: {e})"
        ) from e
    if not isinstance(dataset, Dataset):
        raise DatasetError(
            f"dataset.name: {name!r} is {found[0].value}, a {type(dataset).__name__}, expected a "
            "dali_voc.datasets.Dataset"
        )
    return dataset


def find_index(dataset: DatasetSection, split: str, *, must_exist: bool = True) -> PairIndex:
    """Return the pairs of a split of the data set that the configuration names.

    They come from the index file, if it names one; else folders are listed.

    Raises:
        DatasetError: says in one sentence what is missing or does not fit.
    """
    if "\0" in split:
        raise DatasetError(f"split: found {split!r}, expected the name of one")
    file = dataset.index_file(split)
    if file is not None:
        subject = subject_of(dataset, split)
        return read_index_file(file, subject, must_exist=must_exist)
    return find_pairs(
        dataset.name, dataset.path, split, must_exist=must_exist, options=dataset.options
    )


def _class_file(path: Path, root: Path) -> Path:
    located = locate_class_file(path, root)
    if not (located.is_absolute() or located.is_file()):
        raise DatasetError(
            f"dataset.classes: {path}: no such file, neither in {Path.cwd()} nor in {root}"
        )
    return located


def _why_missing(root: Path) -> str:
    """Return what may be why there is no such folder, as the end of an error's sentence."""
    unset = re.search(r"\$\w+|\$\{\w+\}", str(root))
    if unset:
        return f"; {unset[0]} is not set in the environment"
    if str(root).startswith("~"):
        return f"; {root.parts[0]} is nobody's home"
    return "" if root.is_absolute() else f"; it is looked for in {Path.cwd()}"


def subject_of(dataset: DatasetSection, split: str) -> IndexSubject:
    """Return what an index file of a split is of.

    Raises:
        DatasetError: the data set does not take a key, or keeps an index of its own.
    """
    found = _lookup(dataset.name)
    found.check(dataset.name, dataset.options)
    if found.has_index:
        raise DatasetError(
            f"dataset.index: {dataset.name} keeps an index of its own, expected null, and no "
            "'dali-voc index'"
        )
    return IndexSubject.of(dataset.name, dataset.path, split, dataset.options)


def find_pairs(
    name: str,
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split of a data set, with the classes that are asked for.

    Args:
        name: of the data set.
        root: its folder.
        split: name of the split.
        must_exist: see `FindPairs`.
        options: further keys.

    Raises:
        DatasetError: as for `find_index`.
    """
    options = options or DatasetOptions()
    found = _lookup(name)
    found.check(name, options)
    class_file: Path | None = None
    try:
        if isinstance(options.classes, Path):
            class_file = _class_file(options.classes, root)
            classes = read_class_names(class_file) or class_file
            options = dataclasses.replace(options, classes=classes, class_file=class_file)
        index = found.find(root, split, must_exist=must_exist, options=options)
        if options.unlabeled:
            index = index.without_labels()
    except DatasetError as e:
        hint = "" if os.path.exists(root) else _why_missing(root)
        if str(e).startswith((f"{root}/", f"{root}:")) and not str(e).endswith(hint):
            raise DatasetError(f"{e}{hint}") from None
        raise
    except ValueError as e:
        if name in DATASETS:
            raise
        raise DatasetError(f"dataset.name: {name!r} gave pairs that do not fit: {e}") from e
    except OSError as e:  # a folder above that may not be entered, a name that is too long
        raise DatasetError(f"{e.filename or root}: cannot be read ({e.strerror})") from None
    if class_file is not None:
        made_from = (*index.made_from, str(class_file))
        index = dataclasses.replace(index, made_from=made_from)
    if not found.has_classes or (options.classes is None and options.map is None):
        return index
    spec = remap(index.spec, classes=options.classes, mapping=options.map)
    segments = index.segments
    if segments is not None:
        segments = segments.become(
            class_table(index.spec, classes=options.classes, mapping=options.map)
        )
    return dataclasses.replace(index.with_spec(spec), segments=segments)
