"""Whether what is to come fits on the disk."""

from __future__ import annotations

import shutil
from pathlib import Path

from dali_voc.errors import DownloadError

__all__ = ["check_space"]


def check_space(folder: Path, needed: int) -> None:
    """Check that a folder's disk has room.

    Args:
        folder: an existing folder.
        needed: bytes.

    Raises:
        DownloadError: it has less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DownloadError(
            f"{folder}: found {_in_words(free)} of free space, expected at least "
            f"{_in_words(needed)}"
        )


def _in_words(size: int) -> str:
    return f"{size / 1e9:,.2f} GB" if size >= 1e7 else f"{size:,} bytes"
