"""A few places of a long list, evenly spread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["spread"]


def spread(length: int, *, most: int) -> npt.NDArray[np.int64]:
    """Return places of a list, ascending, its first and last among them; all if they are few.

    Args:
        length: of the list.
        most: how many places there may be.

    Returns:
        int64 [at most `most`].
    """
    return np.unique(np.linspace(0, length - 1, min(most, length), dtype=np.int64))
