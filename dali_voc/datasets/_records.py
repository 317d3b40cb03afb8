"""Files that lie inside others: members of tar shards, records of packed ones."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dali_voc.datasets._packed_names import Names
from dali_voc.errors import SampleError

__all__ = ["RecordList"]

Column = npt.NDArray[Any]
_CHANGED = "the file has been written to since its index was made"


@dataclass(frozen=True, kw_only=True)
class RecordList:
    """A list of records. Nothing in it is an object per record; columns may be memory-mapped.

    Attributes:
        shards: the shards' paths.
        names: of the samples that the records belong to.
        shard: of each record, its shard's place in `shards`.
        offset: of each record, where it begins, bytes.
        size: of each record, bytes.
        title: gives what errors call the record of a row.
        crc: of each record, the CRC-32 of its bytes; None where they are not known.
        modified: of each shard, its modification time when the index was made, nanoseconds since
            1970; None where it does not matter.
        rows: which rows of the columns the list consists of; None: all, in order.
    """

    shards: tuple[str, ...]
    names: Names
    shard: Column
    offset: Column
    size: Column
    title: Callable[[int], str]
    crc: Column | None = None
    modified: npt.NDArray[np.int64] | None = None
    rows: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.shard) if self.rows is None else len(self.rows)

    def __getitem__(self, i: int) -> str:
        row = self._row(i)
        return f"{self.shards[int(self.shard[row])]}, {self.title(row)}"

    def stem(self, i: int) -> str:
        """Return the name of sample `i`."""
        return self.names[self._row(i)]

    def stems(self) -> Iterator[bytes]:
        """Yield all names, a zero byte behind each, in pieces of any length."""
        return self.names.pieces(self.rows)

    def encoded(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the paths of some records' shards, see `FileList`."""
        paths, lengths = self._encoded_shards
        shards = self.shard[self._rows(samples)]
        return paths[shards, : int(lengths[shards].max(initial=0))]

    def records(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return where some of the records are, as `dali_voc.ops.read_record` takes it.

        Returns:
            int64 [number of samples, 4].
        """
        rows = self._rows(samples)
        found = np.full((len(rows), 4), -1, np.int64)
        found[:, 0] = self.offset[rows]
        found[:, 1] = self.size[rows]
        if self.crc is not None:
            found[:, 2] = self.crc[rows]
        if self.modified is not None:
            found[:, 3] = self.modified[self.shard[rows]]
        return found

    def open(self, i: int) -> BinaryIO:
        """Return record `i` as a file in memory.

        Raises:
            OSError: the shard cannot be read.
            SampleError: it is too short, has changed, or the record's checksum is wrong.
        """
        offset, size, crc, modified = self.records(np.array([i]))[0].tolist()
        with open(self.shards[int(self.shard[self._row(i)])], "rb") as file:
            file.seek(offset)
            data = file.read(size)
            changed = modified not in (-1, os.fstat(file.fileno()).st_mtime_ns)
        if changed:
            raise SampleError(self[i], _CHANGED)
        if len(data) < size:
            raise SampleError(self[i], "the shard ends before the record does")
        if crc not in (-1, zlib.crc32(data)):
            raise SampleError(self[i], "damaged record: its checksum (CRC) is wrong")
        return io.BytesIO(data)

    def spoilt(self, i: int) -> tuple[SampleError, npt.NDArray[np.int64]] | None:
        """Return what is wrong with a record's shard, see `FileList`."""
        place = int(self.shard[self._row(i)])
        path = self.shards[place]
        try:
            modified = os.stat(path).st_mtime_ns
        except FileNotFoundError:
            reason = "no such file"
        except OSError:
            return None
        else:
            if self.modified is None or modified == self.modified[place]:
                return None
            reason = _CHANGED
        shards = self.shard if self.rows is None else self.shard[self.rows]
        return SampleError(path, reason), np.flatnonzero(shards == place)

    def select(self, keep: Iterable[int]) -> RecordList:
        """Return some of the records, in the order given."""
        kept = np.fromiter(keep, np.int64)
        return replace(self, rows=kept if self.rows is None else self.rows[kept])

    def _rows(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return samples if self.rows is None else self.rows[samples]

    def _row(self, i: int) -> int:
        if not 0 <= i < len(self):
            raise IndexError(f"found {i}, expected 0 to {len(self) - 1}")
        return i if self.rows is None else int(self.rows[i])

    @cached_property
    def _encoded_shards(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        encoded = [os.fsencode(path) for path in self.shards]
        lengths = np.array([len(path) for path in encoded], np.int64)
        paths = np.zeros((len(encoded), int(lengths.max(initial=0))), np.uint8)
        for row, path in zip(paths, encoded, strict=True):
            row[: len(path)] = np.frombuffer(path, np.uint8)
        return paths, lengths
