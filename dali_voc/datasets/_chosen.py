"""Some of a split's pairs, of which alone the files have to be there."""

from __future__ import annotations

import os
from collections.abc import Iterable

from dali_voc.datasets._find import DatasetSection, find_index
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._places import find_places
from dali_voc.errors import DatasetError

__all__ = ["find_chosen"]


def find_chosen(
    dataset: DatasetSection,
    split: str,
    samples: Iterable[int] | Iterable[str],
    *,
    must_exist: bool,
) -> tuple[PairIndex, list[int]]:
    """Return the pairs of a split, and the places in it of those that are asked for.

    Args:
        dataset: see `find_index`.
        split: name of the split.
        samples: see `find_places`.
        must_exist: the files of the chosen pairs must be there; where others are not, places are
            those among the pairs that can be listed.

    Raises:
        DatasetError: as `find_index` and `find_places`.
        TypeError: as `find_places`.
    """
    samples = samples if isinstance(samples, str | os.PathLike | set | frozenset) else [*samples]
    try:
        index = find_index(dataset, split, must_exist=must_exist)
    except DatasetError as e:
        if not must_exist:
            raise
        index = find_index(dataset, split, must_exist=False)
        try:
            places = find_places(index, samples)
        except DatasetError:  # of a pair that is not complete, and so is not in the list
            raise e from None
        if any(_is_missing(index, place) for place in places):
            raise
        return index, places
    return index, find_places(index, samples)


def _is_missing(index: PairIndex, place: int) -> bool:
    return not (os.path.exists(index.images[place]) and os.path.exists(index.labels[place]))
