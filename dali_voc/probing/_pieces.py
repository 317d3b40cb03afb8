"""Which pieces of which files the storage check reads."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dali_voc.datasets import FileList, PairIndex
from dali_voc.datasets._spread import spread

__all__ = ["Piece", "pieces_of_folder", "pieces_of_split"]

_LARGEST = 8 * 2**20  # bytes of one file
_WALK = 2.0  # seconds to look for files in a folder
_LISTED = 20_000


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A file, or a part of it.

    Attributes:
        path: the file.
        offset: where the piece begins, bytes.
        size: bytes; None: to the end.
    """

    path: bytes
    offset: int = 0
    size: int | None = None


def pieces_of_split(index: PairIndex, *, most: int) -> list[Piece]:
    """Return images and labels of pairs spread over a split, image and label in turns."""
    samples = spread(len(index), most=most)
    sides = (_pieces(files, samples) for files in (index.images, index.labels))
    return [piece for pair in zip(*sides, strict=True) for piece in pair]


def pieces_of_folder(folder: str, *, most: int) -> list[Piece]:
    """Return files spread over what a folder and those in it hold.

    Raises:
        OSError: the folder cannot be read.
    """
    os.scandir(folder).close()  # os.walk passes over what it cannot read
    found: list[bytes] = []
    end = time.monotonic() + _WALK
    for place, folders, names in os.walk(os.fsencode(folder)):
        folders.sort()
        paths = (os.path.join(place, name) for name in sorted(names))
        found += [path for path in paths if _has_bytes(path)]
        if len(found) >= _LISTED or time.monotonic() > end:
            break
    return [Piece(path=found[i], size=_LARGEST) for i in spread(len(found), most=most)]


def _pieces(files: FileList, samples: npt.NDArray[np.int64]) -> list[Piece]:
    paths = [row.tobytes().rstrip(b"\0") for row in files.encoded(samples)]
    records = files.records(samples)
    if records is None:
        return [Piece(path=path) for path in paths]
    return [
        Piece(path=path, offset=offset, size=size)
        for path, (offset, size, *_) in zip(paths, records.tolist(), strict=True)
    ]


def _has_bytes(path: bytes) -> bool:
    try:
        return os.path.isfile(path) and os.path.getsize(path) > 0
    except OSError:
        return False
