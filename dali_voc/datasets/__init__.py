"""Data sets: where the pairs are and what label values mean. One file each.

A package of the user's own adds one as an entry point of group `dali_voc.datasets`: a `Dataset`.
"""

from __future__ import annotations

from dali_voc.datasets._chain import ChainList
from dali_voc.datasets._file_list import FileList, Segments
from dali_voc.datasets._find import DATASETS, dataset_names, find_index, find_pairs
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import Dataset, DatasetOptions, SourceOptions
from dali_voc.datasets._path_list import PathList
from dali_voc.datasets._records import RecordList

__all__ = [
    "DATASETS",
    "ChainList",
    "Dataset",
    "DatasetOptions",
    "FileList",
    "PairIndex",
    "PathList",
    "RecordList",
    "Segments",
    "SourceOptions",
    "dataset_names",
    "find_index",
    "find_pairs",
]
