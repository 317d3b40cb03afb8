"""Names of many samples as one piece of bytes, which may be memory-mapped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

__all__ = ["Names"]

_CHUNK = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Names:
    """A list of names.

    Attributes:
        text: the names one after another, a zero byte behind each, uint8.
        ends: where each ends, its zero byte included, integers [number of names].
    """

    text: npt.NDArray[np.uint8]
    ends: npt.NDArray[Any]

    @classmethod
    def of(cls, names: list[bytes]) -> Self:
        """Join names."""
        ends = np.cumsum([len(name) + 1 for name in names], dtype=np.int64)
        return cls(text=np.frombuffer(b"".join(n + b"\0" for n in names), np.uint8), ends=ends)

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, i: int) -> str:
        start = int(self.ends[i - 1]) if i else 0
        return os.fsdecode(self.text[start : int(self.ends[i]) - 1].tobytes())

    def pieces(self, rows: npt.NDArray[np.int64] | None) -> Iterator[bytes]:
        """Yield the text of all names, or of some in the order given, in large pieces."""
        if rows is None:
            yield from (
                self.text[i : i + _CHUNK].tobytes() for i in range(0, len(self.text), _CHUNK)
            )
            return
        for i in range(0, len(rows), _CHUNK):
            chosen = rows[i : i + _CHUNK]
            ends = self.ends[chosen].astype(np.int64)
            starts = np.where(chosen > 0, self.ends[chosen - 1], 0).astype(np.int64)
            lengths = ends - starts
            before = np.cumsum(lengths) - lengths
            yield self.text[
                np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()))
            ].tobytes()
