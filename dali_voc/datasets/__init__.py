"""Data sets: where the pairs are and what label values mean. One file each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dali_voc.datasets import voc
from dali_voc.datasets._index import PairIndex, PathList

__all__ = ["DATASETS", "PairIndex", "PathList"]

# Name in the configuration -> function (root, split) that finds the pairs.
DATASETS: dict[str, Callable[[Path, str], PairIndex]] = {
    "voc2012": voc.find_pairs,
}
