"""Files of several data sets, one list after another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from dali_voc.datasets._file_list import FileList
from dali_voc.errors import SampleError

__all__ = ["ChainList"]

_WHOLE = (0, -1, -1, -1)  # a record that is all of its file, see `dali_voc.ops.read_record`


class ChainList:
    """A `FileList` of several; nothing in it is an object per file.

    Args:
        lists: the lists, in order.
        rows: which files of the chain this list consists of, int64; None: all, in order.
    """

    def __init__(
        self, lists: Sequence[FileList], *, rows: npt.NDArray[np.int64] | None = None
    ) -> None:
        self._lists = tuple(lists)
        self._ends = np.cumsum([len(files) for files in self._lists], dtype=np.int64)
        self._rows = rows

    @property
    def lists(self) -> tuple[FileList, ...]:
        """The lists, in order."""
        return self._lists

    @property
    def rows(self) -> npt.NDArray[np.int64] | None:
        """Which files of the chain this list consists of, int64; None: all, in order."""
        return self._rows

    def __len__(self) -> int:
        return int(self._ends[-1]) if self._rows is None else len(self._rows)

    def __getitem__(self, i: int) -> str:
        files, at = self._find(i)
        return files[at]

    def stem(self, i: int) -> str:
        """Return what tells file `i` from the others of its own list."""
        files, at = self._find(i)
        return files.stem(at)

    def stems(self) -> Iterator[bytes]:
        """Yield all stems, see `FileList`."""
        if self._rows is None:
            for files in self._lists:
                yield from files.stems()
        else:
            for i in range(len(self)):
                yield os.fsencode(self.stem(i)) + b"\0"

    def encoded(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return some of the paths, see `FileList`."""
        parts = [(at, files.encoded(rows)) for files, at, rows in self._split(samples)]
        longest = max((paths.shape[1] for _, paths in parts), default=0)
        joined = np.zeros((len(samples), longest), np.uint8)
        for at, paths in parts:
            joined[at, : paths.shape[1]] = paths
        return joined

    def records(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
        """Return where in it some files are; None: all lists are of whole files."""
        none = np.empty(0, np.int64)
        if all(files.records(none) is None for files in self._lists):
            return None
        joined = np.tile(np.array(_WHOLE, np.int64), (len(samples), 1))
        for files, at, rows in self._split(samples):
            found = files.records(rows)
            if found is not None:
                joined[at] = found
        return joined

    def open(self, i: int) -> BinaryIO:
        """Open file `i` for reading."""
        files, at = self._find(i)
        return files.open(at)

    def spoilt(self, i: int) -> tuple[SampleError, npt.NDArray[np.int64]] | None:
        """Return what is wrong with all that file `i` is in, see `FileList`."""
        files, at = self._find(i)
        found = files.spoilt(at)
        if found is None:
            return None
        error, rows = found
        rows = rows + ((i if self._rows is None else int(self._rows[i])) - at)
        return error, rows if self._rows is None else np.flatnonzero(np.isin(self._rows, rows))

    def select(self, keep: Iterable[int]) -> ChainList:
        """Return some of the files, in the order given."""
        kept = np.fromiter(keep, np.int64)
        return ChainList(self._lists, rows=kept if self._rows is None else self._rows[kept])

    def _find(self, i: int) -> tuple[FileList, int]:
        if not 0 <= i < len(self):
            raise IndexError(f"found {i}, expected 0 to {len(self) - 1}")
        row = i if self._rows is None else int(self._rows[i])
        k = int(np.searchsorted(self._ends, row, side="right"))
        return self._lists[k], row - self._begin(k)

    def _begin(self, k: int) -> int:
        return int(self._ends[k - 1]) if k else 0

    def _split(
        self, samples: npt.NDArray[np.int64]
    ) -> Iterator[tuple[FileList, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
        """Yield each list that some samples are of, their places among these, and in the list."""
        rows = samples if self._rows is None else self._rows[samples]
        numbers = np.searchsorted(self._ends, rows, side="right")
        for k in np.unique(numbers).tolist():
            at = np.flatnonzero(numbers == k)
            yield self._lists[k], at, rows[at] - self._begin(k)
