"""Whether what is to come fits on the disk."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from dali_voc.errors import DownloadError

__all__ = ["check_space"]


def check_space(*needs: tuple[Path, int]) -> None:
    """Check that there is room.

    Args:
        needs: existing folders, and the bytes that are to come into each; several may be on one
            disk.

    Raises:
        DownloadError: a disk has less.
    """
    disks = {folder.stat().st_dev: folder for folder, _ in needs}
    needed: Counter[int] = Counter()
    for folder, size in needs:
        needed[folder.stat().st_dev] += size
    for disk, folder in disks.items():
        free = shutil.disk_usage(folder).free
        if free < needed[disk]:
            raise DownloadError(
                f"{folder}: found {_in_words(free)} of free space, expected at least "
                f"{_in_words(needed[disk])}"
            )


def _in_words(size: int) -> str:
    if size < 1e5:
        return f"{size:,} bytes"
    return f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.2f} MB"
