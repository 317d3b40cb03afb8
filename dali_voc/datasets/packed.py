"""Splits that `dali-voc pack` wrote."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from dali_voc._json_files import first_problem, read_json
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._pack_format import (
    INDEX,
    NAMES,
    RECORD,
    RECORDS,
    VERSION,
    WEIGHTS,
    PackIndex,
    shard_name,
    unfinished,
)
from dali_voc.datasets._packed_names import Names
from dali_voc.datasets._records import RecordList
from dali_voc.errors import DatasetError

__all__ = ["find_pairs", "read_index"]

_MAPPED_FROM = 1 << 26  # bytes


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, in the order in which they were packed.

    Only the index is read, and where it is large it is mapped into memory.

    Args:
        root: the folder that `dali-voc pack` wrote to.
        split: name of the split.
        must_exist: of no effect; a shard that is missing or has another size is always an error.
        options: none are taken.

    Raises:
        DatasetError: there is no such split, it is not finished, or a file of it is damaged.
    """
    folder = root / split
    index = read_index(folder)
    _check_shards(folder, index)
    table, text, weights = _map_index(folder, index)
    names = Names(text=text, ends=table["name_end"])
    counts = np.array([shard.records for shard in index.shards], np.int64)
    first = np.cumsum(counts) - counts

    def files(column: int, what: str) -> RecordList:
        return RecordList(
            shards=tuple(str(folder / shard_name(k)) for k in range(len(index.shards))),
            names=names,
            shard=table["shard"],
            offset=table["offset"][:, column],
            size=table["length"][:, column],
            crc=table["crc"][:, column],
            title=_Title(what=what, names=names, shard=table["shard"], first=first),
        )

    return PairIndex(
        images=files(0, "image"),
        labels=files(1, "label"),
        spec=index.spec,
        sizes=table["size"],
        weights=weights,
        known_digest=index.samples,
        known_origin=index.made_from.files,
        known_meaning=index.meaning,
    )


@dataclass(frozen=True, kw_only=True)
class _Title:
    """What errors call the record of a row; `first` is the first row of each shard."""

    what: str
    names: Names
    shard: npt.NDArray[Any]
    first: npt.NDArray[np.int64]

    def __call__(self, row: int) -> str:
        return f"{self.what} of record {row - self.first[self.shard[row]]} ({self.names[row]})"


def read_index(folder: Path) -> PackIndex:
    """Read and check `index.json`.

    Raises:
        DatasetError: it cannot be read, has another version, or is damaged.
    """
    path = folder / INDEX
    try:
        path.stat()
    except FileNotFoundError:
        raise DatasetError(_why_missing(folder)) from None
    except OSError:
        pass  # which is said when it is read
    values = read_json(path, expected="the index of a packed split")
    version = values.get("version") if isinstance(values, dict) else None
    if version != VERSION:
        raise DatasetError(
            f"{path}: found version {version!r} of a packed split, expected {VERSION}"
        )
    try:
        return PackIndex.model_validate(values)
    except ValidationError as e:
        raise DatasetError(f"{path}: damaged index ({first_problem(e)})") from None


def _why_missing(folder: Path) -> str:
    root, split = folder.parent, folder.name
    if (root / unfinished(split)).is_dir():
        return (
            f"{root}: split '{split}' is not packed to its end; run 'dali-voc pack' again, it goes "
            "on where it stopped"
        )
    if (root / INDEX).is_file():
        return f"{root}: this is a packed split itself, expected the folder above it"
    known = sorted(path.parent.name for path in root.glob(f"*/{INDEX}"))
    return (
        f"{folder}: no packed split, expected one that 'dali-voc pack' wrote; there are: "
        f"{', '.join(known) or 'none'}"
    )


def _check_shards(folder: Path, index: PackIndex) -> None:
    if sum(shard.records for shard in index.shards) != index.records:
        raise DatasetError(f"{folder / INDEX}: damaged index (its shards have other records)")
    for number, shard in enumerate(index.shards):
        path = folder / shard_name(number)
        try:
            found = path.stat().st_size
        except OSError as e:
            raise DatasetError(f"{path}: cannot be read ({e.strerror})") from None
        if found != shard.size:
            raise DatasetError(f"{path}: found {found} bytes, expected {shard.size}")


def _array(path: Path) -> npt.NDArray[Any]:
    """Return an array in memory, or a large one mapped.

    A mapped file that somebody cuts short ends the process.

    Raises:
        DatasetError: there is none in the file.
    """
    try:
        large = path.stat().st_size > _MAPPED_FROM
        if path.suffix == ".npy":
            found = np.load(path, mmap_mode="r" if large else None, allow_pickle=False)
        else:
            found = np.memmap(path, np.uint8, mode="r") if large else np.fromfile(path, np.uint8)
    except Exception as e:  # of damaged bytes NumPy raises many kinds
        raise DatasetError(f"{path}: damaged index ({type(e).__name__})") from None
    # a plain array: a memmap makes one of its own class of everything that is taken from it
    return np.asarray(found)


def _map_index(
    folder: Path, index: PackIndex
) -> tuple[npt.NDArray[Any], npt.NDArray[np.uint8], npt.NDArray[np.float64] | None]:
    """Check records, names and weights, and map them; nothing needs to stay in memory."""
    files = {RECORDS: index.records_crc, NAMES: index.names_crc, WEIGHTS: index.weights_crc}
    for name, expected in files.items():
        if expected is None:
            continue
        crc = 0
        try:
            with open(folder / name, "rb") as file:
                while chunk := file.read(1 << 20):
                    crc = zlib.crc32(chunk, crc)
        except OSError as e:
            raise DatasetError(f"{folder / name}: cannot be read ({e.strerror})") from None
        if crc != expected:
            raise DatasetError(f"{folder / name}: damaged, its checksum (CRC) is wrong")
    table, text = _array(folder / RECORDS), _array(folder / NAMES)
    if table.dtype != RECORD or table.shape != (index.records,):
        raise DatasetError(
            f"{folder / RECORDS}: found {list(table.shape)} records of {table.dtype}, expected "
            f"{index.records} of a packed split"
        )
    _check_table(folder, index, table, text)
    if index.weights_crc is None:
        return table, text, None
    weights = _array(folder / WEIGHTS)
    if weights.dtype != np.float64 or weights.shape != (index.records,):
        raise DatasetError(
            f"{folder / WEIGHTS}: found {list(weights.shape)} weights of {weights.dtype}, expected "
            f"{index.records} of float64"
        )
    return table, text, weights


def _check_table(
    folder: Path, index: PackIndex, table: npt.NDArray[Any], text: npt.NDArray[np.uint8]
) -> None:
    """Check that records lie in their shards and names in their text: a checksum can be faked."""
    sizes = np.array([shard.size for shard in index.shards], np.int64)
    shard, ends = table["shard"].astype(np.int64), table["name_end"].astype(np.int64)
    fits = bool((shard < len(sizes)).all() and (np.diff(ends, prepend=0) > 0).all())
    fits = fits and int(ends[-1] if len(ends) else 0) == len(text)
    if fits:
        offset, length = table["offset"].astype(np.int64), table["length"].astype(np.int64)
        fits = bool(((offset >= 0) & (offset <= sizes[shard][:, None] - length)).all())
    if not fits:
        raise DatasetError(f"{folder / RECORDS}: damaged index (records that are in no shard)")
