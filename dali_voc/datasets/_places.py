"""Some of a split's pairs, by their places in the list or by name."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable
from typing import Any

from dali_voc._near_match import near_match
from dali_voc._repeats import find_twice, repeated
from dali_voc.datasets._index import PairIndex
from dali_voc.errors import DatasetError

__all__ = ["check_list", "find_places"]


def find_places(index: PairIndex, samples: Iterable[int] | Iterable[str]) -> list[int]:
    """Return the places in a split's list of some pairs, in the order given.

    Args:
        index: of the split.
        samples: places from 0, or names as `PairIndex.name` gives them.

    Raises:
        DatasetError: there are none, one is not there, or is there twice, or several have the name.
        TypeError: they are neither whole numbers nor text, or one name alone, or a set.
    """
    check_list(samples)
    given = list(samples)
    if not given:
        raise DatasetError("samples: found none, expected one at least")
    places = _by_name(index, given) if isinstance(given[0], str) else _by_place(index, given)
    twice = find_twice(places)
    if twice is not None:
        raise DatasetError(
            f"samples: {index.name(twice)!r} is there twice, expected each once; weights draw some "
            "more often than others, and sampling.epoch_length makes epochs longer"
        )
    return places


def check_list(samples: object) -> None:
    """Refuse what can be gone through and is no list of samples.

    Raises:
        TypeError: it is one name or path, or has no order.
    """
    if isinstance(samples, str | bytes | os.PathLike):
        raise TypeError(
            f"samples: found {str(samples)!r}, expected a list of names or places; those of a file "
            "are Path(file).read_text().split()"
        )
    if isinstance(samples, set | frozenset):
        raise TypeError(
            "samples: found a set, whose order is another in every process, expected a list; "
            "sorted() makes one"
        )


def _by_place(index: PairIndex, given: list[Any]) -> list[int]:
    kinds = {str(getattr(place, "dtype", type(place).__name__)) for place in given}
    if kinds & {"bool", "torch.bool"}:
        raise TypeError(
            "samples: found True or False, expected places; numpy.flatnonzero makes some"
        )
    places = [operator.index(place) for place in given]
    for place in places:
        if not 0 <= place < len(index):
            raise DatasetError(f"samples: found {place}, expected 0 to {len(index) - 1}")
    return places


def _by_name(index: PairIndex, given: list[Any]) -> list[int]:
    names = [index.name(i) for i in range(len(index))]
    places = {name: i for i, name in enumerate(names)}
    for name in given:
        if not isinstance(name, str):
            raise TypeError(f"samples: found {name!r} among names")
        if name not in places:
            raise DatasetError(
                f"samples: found {name!r}, which the split does not have{near_match(name, names)}"
            )
    several = set(repeated(names)).intersection(given)
    if several:
        raise DatasetError(
            f"samples: {min(several)!r} is the name of several pairs, expected places"
        )
    return [places[name] for name in given]
