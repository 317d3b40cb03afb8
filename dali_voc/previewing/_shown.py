"""A sample as it is shown: what the network sees of it, and what lies on the disk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Raw", "Shown", "Window"]

# first row, first column, and the row and column behind the last: pixels, not always whole ones
Window = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True, eq=False)
class Raw:
    """A pair as stored.

    Attributes:
        image: uint8 [height, width, 3].
        codes: of its label, int32 [height, width], see `dali_voc.previewing.to_codes`.
        window: what the network sees of it, before it is mirrored or turned; None: all of it.
    """

    image: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32]
    window: Window | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Shown:
    """One picture of a batch.

    Attributes:
        name: of the sample.
        note: which tile of it, or what is wrong with it; often empty.
        image: as the network sees it, but in bytes again: uint8 [height, width, 3].
        codes: of its label, int32 [height, width], see `dali_voc.previewing.to_codes`.
        raw: the pair as stored, where that was asked for and can be read.
    """

    name: str
    note: str
    image: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int32]
    raw: Raw | None = None
