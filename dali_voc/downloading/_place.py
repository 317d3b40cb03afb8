"""Where a data set goes, one download at a time, and how it gets its final name."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from dali_voc._files import make_folder, sync_folder
from dali_voc._folder_lock import locked_folder
from dali_voc.errors import DownloadError

__all__ = ["move_into_place", "temporary_folder", "the_only_one", "voc_root"]


def voc_root(root: Path, year: str) -> tuple[Path, Path]:
    """Return the folder for archives, and `VOCdevkit/YEAR` in it, where a year of VOC goes.

    `root` may be the folder that holds `VOCdevkit`, or `VOCdevkit` or the year's folder in it.
    Where the year's folder is a link, the data go where it leads.

    Raises:
        DownloadError: it leads to itself.
    """
    root = root.absolute()
    if root.name == year and root.parent.name == "VOCdevkit":
        root = root.parent
    if root.name == "VOCdevkit":
        root = root.parent
    final = root / "VOCdevkit" / year
    try:
        place = final.resolve() if final.is_symlink() else final
        in_a_circle = place.is_symlink()  # as far as Python 3.13 follows it
    except (OSError, RuntimeError):  # of Python before 3.13
        in_a_circle = True
    if in_a_circle:
        raise DownloadError(f"{final}: a link that leads to itself, expected a folder")
    return root, place


@contextmanager
def the_only_one(folder: Path) -> Iterator[None]:
    """Keep other downloads out of a folder, which is made if it is missing.

    Raises:
        DownloadError: it cannot be made, or another download is at work.
    """
    busy = DownloadError(f"{folder}: another download is at work here, expected one at a time")
    with ExitStack() as stack:
        try:
            make_folder(folder)
            stack.enter_context(locked_folder(folder, busy=busy))
        except NotADirectoryError as e:
            raise DownloadError(f"{e.filename}: {e.strerror}") from None
        except OSError as e:
            raise DownloadError(f"{folder}: cannot be written to ({e.strerror})") from None
        yield


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Make an empty folder; it is gone afterwards, and so is one that a killed run left.

    The folder above it is made, too, and is gone afterwards if it is empty then.
    """
    shutil.rmtree(path, ignore_errors=True)
    try:
        path.mkdir(parents=True)
        yield path
    except OSError as e:
        if e.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}:
            raise
        raise DownloadError(f"{path.parent}: cannot be written ({e.strerror})") from None
    finally:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.parent.rmdir()


def move_into_place(made: Path, final: Path) -> None:
    """Give a folder that is complete its final name, durably."""
    os.sync()  # all its files; one by one would take a minute
    os.replace(made, final)
    sync_folder(final.parent)
