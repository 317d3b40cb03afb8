"""Several data sets, one after another, with common classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dali_voc._first_difference import first_difference
from dali_voc.datasets._chain import ChainList
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions, SourceOptions
from dali_voc.datasets._remap import remap
from dali_voc.errors import DatasetError
from dali_voc.labels import NO_LABEL, LabelSpec

__all__ = ["find_pairs"]

Find = Callable[[DatasetOptions], PairIndex]


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool,
    options: DatasetOptions,
    find: Callable[..., PairIndex],
) -> PairIndex:
    """Return the pairs of all sources, in the order in which the sources are given.

    Args:
        root: what sources' roots are below, unless they are absolute.
        split: name of the split, of sources that name none themselves.
        must_exist: as for each source.
        options: `sources` must be given. `classes` are the common ones; if they are not given,
            all sources must have the same. A source's `map` says what becomes of its own classes,
            values and colours; classes of the same name need no entry. Sources without classes of
            their own have the common ones, unless they are given others.
        find: `dali_voc.datasets.find_pairs`, which knows the data sets by name.

    Raises:
        DatasetError: names the source and what is wrong with it.
    """
    if not options.sources:
        raise DatasetError("dataset.sources: found none, expected the data sets to put together")
    found = []
    for k, source in enumerate(options.sources):

        def find_own(own: DatasetOptions, source: SourceOptions = source) -> PairIndex:
            own_split = source.split or split
            return find(
                source.name, root / source.root, own_split, must_exist=must_exist, options=own
            )

        try:
            found.append(_find_one(source, find_own, options.classes))
        except DatasetError as e:
            text, key = str(e), f"dataset.sources[{k}]"
            if text.startswith("dataset."):
                raise DatasetError(f"{key}{text.removeprefix('dataset')}") from None
            raise DatasetError(f"{key}: {text}") from None
    return PairIndex(
        images=ChainList([index.images for index in found]),
        labels=ChainList([index.labels for index in found]),
        spec=_common_spec(found),
        sizes=_sizes(found),
        source=_map_numbers(found),
        weights=_weights(options.sources, found),
        made_from=tuple(path for index in found for path in index.made_from),
    )


def _find_one(
    source: SourceOptions, find: Find, common: tuple[str, ...] | Path | None
) -> PairIndex:
    own = source.options
    if own.classes is None or common is None:
        index = find(dataclasses.replace(own, classes=own.classes or common))
    else:
        # its map is between its own classes and the common ones
        index = find(dataclasses.replace(own, map=None))
        index = index.with_spec(remap(index.spec, classes=common, mapping=own.map))
    if index.segments is not None:
        raise DatasetError(
            f"dataset.name: found {source.name!r}, whose labels' colours mean something else in "
            "each file, expected a data set of other labels"
        )
    return index


def _common_spec(found: Sequence[PairIndex]) -> LabelSpec:
    first = found[0].spec
    for k, index in enumerate(found):
        if index.spec.classes != first.classes:
            here, there = first_difference(first.classes, index.spec.classes)
            raise DatasetError(
                f"dataset.classes: found null, expected the common classes, as dataset.sources[{k}]"
                f" has others than dataset.sources[0]: {there!r} in place of {here!r}"
            )
    maps = tuple(label_map for index in found for label_map in index.spec.label_maps())
    return dataclasses.replace(first, maps=maps)


def _map_numbers(found: Sequence[PairIndex]) -> npt.NDArray[np.int32]:
    numbers, before = [], 0
    for index in found:
        own = np.zeros(len(index), np.int32) if index.source is None else index.source
        shifted = np.where(own == NO_LABEL, NO_LABEL, own + before)
        numbers.append(shifted.astype(np.int32))
        before += len(index.spec.label_maps())
    return np.concatenate(numbers)


def _sizes(found: Sequence[PairIndex]) -> npt.NDArray[np.int64] | None:
    if all(index.sizes is None for index in found):
        return None
    return np.concatenate(
        [
            np.full((len(index), 2), -1) if index.sizes is None else index.sizes.astype(np.int64)
            for index in found
        ]
    )


def _weights(
    sources: Sequence[SourceOptions], found: Sequence[PairIndex]
) -> npt.NDArray[np.float64] | None:
    """Return each sample's part of its source's weight; None where nothing has one.

    Where a source's samples have weights of their own, they share it by these.
    """
    if all(s.weight is None and i.weights is None for s, i in zip(sources, found, strict=True)):
        return None
    parts = []
    for source, index in zip(sources, found, strict=True):
        total = len(index) if source.weight is None else source.weight
        own = np.ones(len(index)) if index.weights is None else index.weights
        parts.append(total * own / own.sum())
    return np.concatenate(parts)
