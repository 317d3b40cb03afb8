"""Arrays as `.npz` files, written, and read where nobody vouches for them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["npz_bytes", "read_npz"]


def npz_bytes(**arrays: Any) -> bytes:
    """Return the file of some arrays, not compressed."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def read_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of a file that `numpy.savez` wrote; none holds Python objects.

    Raises:
        ValueError: its arrays are compressed, as they never are here: a small file could be large
            in memory.
        Exception: the file cannot be read, or is damaged; of many kinds.
    """
    with zipfile.ZipFile(path) as members:
        if any(member.compress_type != zipfile.ZIP_STORED for member in members.infolist()):
            raise ValueError("found compressed arrays")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
