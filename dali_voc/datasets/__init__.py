"""Data sets: where the pairs are and what label values mean. One file each."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from dali_voc.datasets import packed, voc, webdataset
from dali_voc.datasets._index import FileList, PairIndex, PathList
from dali_voc.datasets._records import RecordList

__all__ = ["DATASETS", "FileList", "PairIndex", "PathList", "RecordList"]


class FindPairs(Protocol):
    """Finds the pairs of a split below a root; see `voc.find_pairs`."""

    def __call__(self, root: Path, split: str, *, must_exist: bool = True) -> PairIndex:
        """Return the pairs of a split, in the order of its list."""


# Name in the configuration -> what finds the pairs.
DATASETS: dict[str, FindPairs] = {
    "voc2012": voc.find_pairs,
    "packed": packed.find_pairs,
    "webdataset": webdataset.find_pairs,
}
