"""Shards as they are written, and what is noted of each so that an interrupted run can go on."""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dali_voc._files import named_in_errors, sync_folder, write_bytes
from dali_voc.datasets._npz import npz_bytes, read_npz
from dali_voc.datasets._pack_format import RECORD, SHARD_START, shard_name
from dali_voc.datasets._packed_names import Names

__all__ = ["PARTS", "Part", "ShardWriter", "part_name", "read_parts"]

PARTS = ".part-*.npz"  # the files of what is known of shards


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is known of a finished shard.

    Attributes:
        records: `RECORD` [n]; ends of names are counted from the shard's first name.
        names: the text of the names, a zero byte behind each.
        weights: of the samples, float64 [n].
        size: of the shard, bytes.
        next_sample: the sample of the source with which the next shard begins.
        left_out: what was wrong with samples that were left out since the shard before.
    """

    records: npt.NDArray[Any]
    names: bytes
    weights: npt.NDArray[np.float64]
    size: int
    next_sample: int
    left_out: tuple[str, ...]


def part_name(number: int) -> str:
    """Return the name of the file of what is known of a shard."""
    return PARTS.replace("*", f"{number:05d}")


def read_parts(folder: Path) -> list[Part]:
    """Return what is known of the shards that are finished, in order."""
    parts: list[Part] = []
    while (part := _read(folder, len(parts))) is not None:
        parts.append(part)
    return parts


def _read(folder: Path, number: int) -> Part | None:
    try:
        size = (folder / shard_name(number)).stat().st_size
        file = read_npz(folder / part_name(number))
        known_size, next_sample = file["numbers"].tolist()
        left_out = json.loads(file["left_out"].tobytes())
        records, names = file["records"], file["names"].tobytes()
        weights = file["weights"]
    except Exception:  # of damaged bytes zipfile and NumPy raise many kinds
        return None
    if size != known_size:
        return None
    return Part(
        records=records,
        names=names,
        weights=weights,
        size=size,
        next_sample=next_sample,
        left_out=tuple(left_out),
    )


class ShardWriter:
    """Writes one shard. Until `finish`, it has another name; `discard` leaves nothing of it.

    Args:
        folder: where.
        number: of the shard.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number
        self._final = folder / shard_name(number)
        self._path = folder / f".{shard_name(number)}.part"
        self._file: BinaryIO = open(self._path, "wb")  # noqa: SIM115  it outlives this
        self._file.write(SHARD_START)
        self._records: list[tuple[Any, ...]] = []
        self._names: list[bytes] = []
        self._names_size = 0
        self._weights: list[float] = []
        self.size = len(SHARD_START)

    def __len__(self) -> int:
        return len(self._records)

    def add(
        self, *, name: str, image: bytes, label: bytes, size: Sequence[int], weight: float = 1.0
    ) -> None:
        """Write a pair.

        Args:
            name: of the sample.
            image: its image, as stored.
            label: its label, in the code of packed labels.
            size: height and width, pixels.
            weight: how often it is drawn.
        """
        self._weights.append(weight)
        encoded = os.fsencode(name)
        self._names.append(encoded)
        self._names_size += len(encoded) + 1
        crcs = zlib.crc32(image), zlib.crc32(label)
        offsets = self.size, self.size + len(image)
        lengths = len(image), len(label)
        self._records.append((self._number, offsets, lengths, crcs, tuple(size), self._names_size))
        with named_in_errors(self._final):
            self._file.write(image)
            self._file.write(label)
        self.size += sum(lengths)

    def finish(self, *, next_sample: int, left_out: Sequence[str]) -> Part:
        """Give the shard its name, and note what is known of it."""
        with named_in_errors(self._final):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._path, self._final)
        part = Part(
            records=np.array(self._records, RECORD),
            names=Names.of(self._names).text.tobytes(),
            weights=np.array(self._weights, np.float64),
            size=self.size,
            next_sample=next_sample,
            left_out=tuple(left_out),
        )
        file = npz_bytes(
            records=part.records,
            names=np.frombuffer(part.names, np.uint8),
            weights=part.weights,
            numbers=np.array([part.size, next_sample]),
            left_out=np.frombuffer(json.dumps(part.left_out).encode(), np.uint8),
        )
        write_bytes(self._folder / part_name(self._number), file, durable=True)
        sync_folder(self._folder)
        return part

    def discard(self) -> None:
        """Remove what has been written, if it is not finished."""
        with contextlib.suppress(OSError):  # what is thrown away need not fit on the disk
            self._file.close()
        self._path.unlink(missing_ok=True)
