"""Some of a split's pairs, of which alone the files have to be there."""

from __future__ import annotations

from collections.abc import Iterable

from dali_voc.datasets._find import DatasetSection, find_index
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._places import check_list, find_places
from dali_voc.errors import DatasetError

__all__ = ["find_chosen"]


def find_chosen(
    dataset: DatasetSection,
    split: str,
    samples: Iterable[int] | Iterable[str] | None,
    *,
    must_exist: bool,
) -> tuple[PairIndex, list[int] | None]:
    """Return the pairs of a split, and the places in it of those that are asked for; None: all.

    Args:
        dataset: see `find_index`.
        split: name of the split.
        samples: see `find_places`; None: all.
        must_exist: the files of the chosen pairs must be there; and those of the others, too, where
            pairs are chosen by place: a list without some pairs has other places.

    Raises:
        DatasetError: as `find_index` and `find_places`.
        TypeError: as `find_places`.
    """
    if samples is None:
        return find_index(dataset, split, must_exist=must_exist), None
    check_list(samples)
    samples = [*samples]
    try:
        index = find_index(dataset, split, must_exist=must_exist)
    except DatasetError as e:
        if not must_exist or not all(isinstance(sample, str) for sample in samples):
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
    try:
        with index.images.open(place), index.labels.open(place):
            return False
    except OSError:
        return True
