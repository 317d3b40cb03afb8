"""Finds samples by what a person calls them."""

from __future__ import annotations

from collections.abc import Iterable

from dali_voc._near_match import near_match
from dali_voc.datasets import PairIndex
from dali_voc.errors import DatasetError

__all__ = ["find_samples"]


def find_samples(index: PairIndex, wanted: Iterable[str]) -> list[int]:
    """Return the places of samples in a split's list.

    Args:
        index: the split.
        wanted: of each, its name, or the end of its name from a `/` on, or its place from 0.
            Several in one text are parted by commas.

    Raises:
        DatasetError: one is not there or fits several samples, or there are none.
    """
    by_name: dict[str, list[int]] = {}
    by_end: dict[str, list[int]] = {}
    for i in range(len(index)):
        name = index.name(i)
        by_name.setdefault(name, []).append(i)
        parts = name.split("/")
        for cut in range(1, len(parts)):
            by_end.setdefault("/".join(parts[cut:]), []).append(i)

    def find(text: str) -> int:
        fitting = by_name.get(text) or by_end.get(text, [])
        if len(fitting) > 1:
            names = ", ".join(f"{index.name(i)} (sample {i})" for i in fitting[:3])
            raise DatasetError(f"samples: found {text!r}, which fits {names}")
        if fitting:
            return fitting[0]
        # no place has more digits
        if text.isascii() and text.isdigit() and len(text) < 19 and int(text) < len(index):
            return int(text)
        raise DatasetError(
            f"samples: found {text!r}, expected a name, or a place from 0 to {len(index) - 1}"
            f"{near_match(text, [*by_name, *by_end])}"
        )

    found = []
    for text in wanted:
        whole = text in by_name or text in by_end
        found += [find(part) for part in ([text] if whole else text.split(",")) if part]
    if not found:
        raise DatasetError("samples: found no name, expected some of the split's")
    return list(dict.fromkeys(found))
