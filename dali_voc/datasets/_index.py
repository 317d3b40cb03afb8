"""Where the pairs of a data set are, kept as bytes rather than as a Python object per sample."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dali_voc.labels import LabelSpec

__all__ = ["PairIndex", "PathList"]


class PathList:
    """A list of paths `prefix + stem + suffix`, about as large as the stems' text."""

    def __init__(self, stems: Iterable[str], *, prefix: str = "", suffix: str = "") -> None:
        encoded = [os.fsencode(stem) for stem in stems]
        self._prefix = os.fsencode(prefix)
        self._suffix = os.fsencode(suffix)
        self._stems = b"".join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, i: int) -> str:
        return os.fsdecode(self._path(i))

    def select(self, keep: Iterable[int]) -> PathList:
        """Return some of the paths, in the order given."""
        chosen = PathList(())
        stems = [self._stem(i) for i in keep]
        chosen._prefix, chosen._suffix = self._prefix, self._suffix
        chosen._stems = b"".join(stems)
        chosen._ends = np.cumsum([0, *map(len, stems)], dtype=np.int64)
        return chosen

    def stem(self, i: int) -> str:
        """Return the part of path `i` that tells it from the others."""
        return os.fsdecode(self._stem(i))

    def encoded(self, i: int) -> npt.NDArray[np.uint8]:
        """Return path `i` as uint8, the form in which DALI takes text."""
        return np.frombuffer(self._path(i), np.uint8)

    def _stem(self, i: int) -> bytes:
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self._stems[self._ends[i] : self._ends[i + 1]]

    def _path(self, i: int) -> bytes:
        return self._prefix + self._stem(i) + self._suffix


@dataclass(frozen=True, kw_only=True)
class PairIndex:
    """The images and labels of one split, in the order of its list, and what the labels mean.

    Attributes:
        images: paths of the images.
        labels: paths of the labels; `labels[i]` belongs to `images[i]`.
        spec: what label values mean.
    """

    images: PathList
    labels: PathList
    spec: LabelSpec

    def __len__(self) -> int:
        return len(self.images)

    def name(self, i: int) -> str:
        """Return a short name of pair `i` for people."""
        return self.images.stem(i)

    def digest(self) -> str:
        """Return how many pairs there are and a hash of their names in order."""
        names = hashlib.sha256()
        for i in range(len(self)):
            names.update(self.name(i).encode(errors="surrogateescape") + b"\0")
        return f"{len(self)} samples, sha256 {names.hexdigest()[:16]}"

    def select(self, keep: Iterable[int]) -> PairIndex:
        """Return the index of some of the pairs, in the order given."""
        chosen = list(keep)
        return PairIndex(
            images=self.images.select(chosen),
            labels=self.labels.select(chosen),
            spec=self.spec,
        )
