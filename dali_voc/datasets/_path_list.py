"""Paths of files, kept as bytes rather than as a Python object per sample."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

__all__ = ["PathList"]


class PathList:
    """A list of paths `prefix + stem + suffix`, about as large as the stems' text."""

    def __init__(self, stems: Iterable[str], *, prefix: str = "", suffix: str = "") -> None:
        encoded = [os.fsencode(stem) for stem in stems]
        self._prefix = os.fsencode(prefix)
        self._suffix = os.fsencode(suffix)
        self._stems = b"".join(encoded)
        self._ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)

    @classmethod
    def from_text(
        cls, text: bytes, ends: npt.NDArray[np.int64], *, prefix: str = "", suffix: str = ""
    ) -> PathList:
        """Return a list of stems that lie one after another in `text`.

        Args:
            text: the stems.
            ends: where each ends, after a zero, int64 [number of stems + 1].
            prefix: what comes before each.
            suffix: what comes after each.
        """
        paths = cls((), prefix=prefix, suffix=suffix)
        paths._stems, paths._ends = text, ends
        return paths

    @property
    def prefix(self) -> str:
        """What comes before each stem."""
        return os.fsdecode(self._prefix)

    @property
    def suffix(self) -> str:
        """What comes after each stem."""
        return os.fsdecode(self._suffix)

    @property
    def text(self) -> bytes:
        """All stems, one after another."""
        return self._stems

    @property
    def ends(self) -> npt.NDArray[np.int64]:
        """Where each stem ends in `text`, after a zero, int64 [number of stems + 1]."""
        return self._ends

    def __repr__(self) -> str:
        first = f", {self[0]!r} first" if len(self) else ""
        return f"<{type(self).__name__}: {len(self):,} paths{first}>"

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, i: int) -> str:
        return os.fsdecode(self._path(i))

    def between(self, prefix: str, suffix: str) -> PathList:
        """Return the same stems between others, their text shared."""
        return PathList.from_text(self._stems, self._ends, prefix=prefix, suffix=suffix)

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

    def stems(self) -> Iterator[bytes]:
        """Yield all of them, a zero byte behind each."""
        return (self._stem(i) + b"\0" for i in range(len(self)))

    def encoded(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return some of the paths, see `FileList`."""
        begins, ends = self._ends[samples], self._ends[1:][samples]
        lengths = ends - begins
        longest = int(lengths.max(initial=0))
        stems, prefix, suffix = (
            np.frombuffer(text, np.uint8) for text in (self._stems, self._prefix, self._suffix)
        )
        before, after = len(prefix), len(suffix)
        paths = np.zeros((len(samples), before + longest + after), np.uint8)
        paths[:, :before] = prefix
        found = set(lengths.tolist())
        rows: slice | npt.NDArray[np.int64] = slice(None)
        for length in found:
            if len(found) > 1:
                rows = np.flatnonzero(lengths == length)
            places = begins[rows, None] + np.arange(length)
            paths[rows, before : before + length] = stems[places]
            paths[rows, before + length : before + length + after] = suffix
        return paths

    def records(self, samples: npt.NDArray[np.int64]) -> None:
        """Return None: these are whole files."""

    def open(self, i: int) -> BinaryIO:
        """Open file `i` for reading; a pipe without waiting for somebody to write to it."""
        return open(self._path(i), "rb", opener=_open_at_once)

    def spoilt(self, i: int) -> None:
        """Return None: nothing but the file itself can be wrong."""

    def _stem(self, i: int) -> bytes:
        if not 0 <= i < len(self):
            raise IndexError(f"found {i}, expected 0 to {len(self) - 1}")
        return self._stems[self._ends[i] : self._ends[i + 1]]

    def _path(self, i: int) -> bytes:
        return self._prefix + self._stem(i) + self._suffix


def _open_at_once(path: str | bytes, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
