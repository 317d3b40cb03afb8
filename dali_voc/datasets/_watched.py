"""The folders and files that a listing went by, and whether they have changed since."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from dali_voc.datasets._chain import ChainList
from dali_voc.datasets._file_list import FileList
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._path_list import PathList

__all__ = ["first_changed", "stamps_of", "watched_paths"]

_ABSENT = -1, -1


def watched_paths(index: PairIndex) -> list[str]:
    """Return the folders that pairs lie in, those above them up to where paths fork, and the rest.

    The rest is what the listing says it went by, see `PairIndex.made_from`.
    """
    folders: set[bytes] = set()
    for files in index.images, index.labels:
        for paths in _path_lists(files):
            folders |= _folders(paths)
    return sorted({*map(os.fsdecode, folders), *index.made_from})


def stamps_of(paths: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return modification times (nanoseconds) and the sizes of files (bytes), int64 [n, 2].

    The size of a folder is 0; what is not there, or cannot be looked at, has -1 for both.
    """
    found = np.array([_stamp(path) for path in paths], np.int64)
    return found.reshape(-1, 2)


def first_changed(paths: Sequence[str], stamps: npt.NDArray[np.int64]) -> str | None:
    """Return the first path whose stamp is another now; None: there is none."""
    for path, stamp in zip(paths, stamps.tolist(), strict=True):
        if _stamp(path) != tuple(stamp):
            return path
    return None


def _stamp(path: str) -> tuple[int, int]:
    try:
        status = os.stat(path)
    except OSError:
        return _ABSENT
    return status.st_mtime_ns, 0 if stat.S_ISDIR(status.st_mode) else status.st_size


def _path_lists(files: FileList) -> list[PathList]:
    if isinstance(files, ChainList):
        return [paths for part in files.lists for paths in _path_lists(part)]
    return [files] if isinstance(files, PathList) else []


def _folders(paths: PathList) -> set[bytes]:
    prefix, suffix = os.fsencode(paths.prefix), os.fsencode(paths.suffix)
    top = os.path.dirname(prefix)
    if b"/" not in paths.text and b"/" not in suffix:
        return {top}
    found = {(prefix + stem[:-1] + suffix).rpartition(b"/")[0] for stem in paths.stems()}
    for folder in tuple(found):
        above = folder
        while len(above) > len(top):
            above = os.path.dirname(above)
            if above in found:
                break
            found.add(above)
    return found
