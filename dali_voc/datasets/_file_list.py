"""What a data set gives of its files: which there are, where they lie, what their colours mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from dali_voc.errors import SampleError

__all__ = ["FileList", "Segments"]


class FileList(Protocol):
    """Where some files are: in the file system (`PathList`), or in others (`RecordList`)."""

    def __len__(self) -> int: ...

    def __getitem__(self, i: int) -> str:
        """Return what errors call file `i`."""

    def stem(self, i: int) -> str:
        """Return what tells file `i` from the others."""

    def stems(self) -> Iterator[bytes]:
        """Yield all stems, a zero byte behind each, in pieces of any length."""

    def encoded(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
        """Return the paths of what some files are in, as operators take them.

        Returns:
            uint8 [number of samples, length of the longest], zeros behind the others: DALI takes
            over one array in a fraction of the time that it needs for many.
        """

    def records(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64] | None:
        """Return where in it some files are, for `read_record`; None: they are all of it."""

    def open(self, i: int) -> BinaryIO:
        """Open file `i` for reading."""

    def spoilt(self, i: int) -> tuple[SampleError, npt.NDArray[np.int64]] | None:
        """Return what is wrong with all that file `i` is in, if that is gone or has changed.

        Returns:
            the error, and which files of the list are in it, int64; None: what is wrong, if
            anything is, is wrong with the file alone.
        """

    def select(self, keep: Iterable[int]) -> Self:
        """Return some of the files, in the order given."""


class Segments(Protocol):
    """What the colours of each label mean, where every file has its own (COCO panoptic)."""

    def table(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return colours 0xRRGGBB and their classes, [n, k, 2]; a colour of -1 is left out.

        A class of -1 stands for none.
        """

    def select(self, keep: Iterable[int]) -> Self:
        """Return those of some of the labels, in the order given."""

    def become(self, classes: npt.NDArray[np.int64]) -> Self:
        """Return the same with class `classes[i]` instead of `i`; -1: none."""

    def digest(self) -> str:
        """Return a hash of what they mean."""
