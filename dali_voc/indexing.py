"""Writes the index of a split to a file, so that later starts need not list its folders."""

from __future__ import annotations

import os
import time
from pathlib import Path

from dali_voc._arguments import check_arguments
from dali_voc.config import Config
from dali_voc.datasets import PairIndex, find_pairs
from dali_voc.datasets._find import subject_of
from dali_voc.datasets._index_file import write_index_file
from dali_voc.datasets._watched import stamps_of, watched_paths
from dali_voc.errors import DatasetError

__all__ = ["write_index"]

# Modification times come from a clock that goes by ticks, of up to 10 ms on Linux.
_TICK = 0.01


def write_index(config: Config, path: str | os.PathLike[str], *, split: str = "train") -> PairIndex:
    """List a split and write its index; `dataset.index` is where it is read from.

    Args:
        config: section `dataset` and `loader.on_error` are used: with "raise" every file must be
            there.
        path: the file, written whole or not at all.
        split: name of the split.

    Returns:
        What was listed.

    Raises:
        DatasetError: the split cannot be found, has missing files, or changed meanwhile; the data
            set has an index of its own; the file would lie in a folder that it is about.
        OSError: the file cannot be written.
        TypeError: an argument is of another type.
    """
    check_arguments(config, split)
    dataset = config.dataset
    subject = subject_of(dataset, split)
    must_exist = config.loader.raises
    # what was written just before the listing must be told from what is written during it
    time.sleep(2 * _TICK)
    begin = time.time_ns()
    index = find_pairs(
        dataset.name, dataset.path, split, must_exist=must_exist, options=dataset.options
    )
    watched = watched_paths(index)
    stamps = stamps_of(watched)
    during = (stamps[:, 0] >= begin - int(_TICK * 1e9)) & (stamps[:, 0] <= time.time_ns())
    if during.any():
        raise DatasetError(
            f"{watched[int(during.argmax())]}: changed while it was listed; run 'dali-voc index' "
            "again when the data set is complete"
        )
    path = Path(path)
    folder = os.path.realpath(path.parent)
    for place in watched:
        if os.path.realpath(place) == folder:
            raise DatasetError(
                f"{path}: lies in a folder that it is an index of, and would be out of date at "
                f"once; expected a file outside of {place}"
            )
    write_index_file(path, index, subject, checked=must_exist, watched=watched, stamps=stamps)
    return index
