"""What the colours of panoptic label files mean, each file's own, in three arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["PanopticSegments", "color_of_id"]


def color_of_id(ids: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint32]:
    """Return the colours 0xRRGGBB of segment ids, which are R + 256 G + 65536 B."""
    wide = ids.astype(np.uint32)
    return ((wide & 255) << 16 | wide & 0xFF00 | wide >> 16).astype(np.uint32)


@dataclass(frozen=True, kw_only=True)
class PanopticSegments:
    """Colours and classes of the segments of many files; implements `Segments`.

    Black is no segment: what no segment covers, and no class.

    Attributes:
        colors: 0xRRGGBB, file after file, uint32 [number of segments].
        classes: class of each segment, -1 for none, int32 [number of segments].
        ends: where each file's segments end, after a zero, int64 [number of files + 1].
    """

    colors: npt.NDArray[np.uint32]
    classes: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends) - 1

    def table(self, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return colours and classes of some files, black among them, int64 [n, k, 2]."""
        begins = self.ends[samples]
        lengths = self.ends[1:][samples] - begins
        places = np.arange(int(lengths.max(initial=0)))
        there = places < lengths[:, None]
        rows = (begins[:, None] + places)[there]
        table = np.full((len(samples), 1 + len(places), 2), -1, np.int64)
        table[:, 0, 0] = 0
        table[:, 1:, 0][there] = self.colors[rows]
        table[:, 1:, 1][there] = self.classes[rows]
        return table

    def select(self, keep: Iterable[int]) -> PanopticSegments:
        """Return those of some of the files, in the order given."""
        kept = np.fromiter(keep, np.int64)
        begins = self.ends[kept]
        lengths = self.ends[1:][kept] - begins
        ends = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        rows = np.repeat(begins - ends[:-1], lengths) + np.arange(ends[-1])
        return PanopticSegments(colors=self.colors[rows], classes=self.classes[rows], ends=ends)

    def become(self, classes: npt.NDArray[np.int64]) -> PanopticSegments:
        """Return the same segments with class `classes[i]` instead of `i`; -1: none."""
        # the last entry is where -1 points to
        table = np.append(classes, -1).astype(np.int32)
        return replace(self, classes=table[self.classes])

    def digest(self) -> str:
        """Return a hash of all that is in it."""
        facts = hashlib.sha256()
        for array in self.ends, self.colors, self.classes:
            facts.update(np.ascontiguousarray(array).data)
        return f"sha256 {facts.hexdigest()[:16]}"
