"""One process at a time in a folder."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dali_voc.errors import DaliVocError, printable

__all__ = ["locked_folder"]

_log = logging.getLogger("dali_voc")
_FILE = ".dali_voc.lock"


@contextmanager
def locked_folder(folder: Path, *, busy: DaliVocError) -> Iterator[None]:
    """Keep other processes out that lock it as well.

    Where folders cannot be locked, as on NFS, a file in it is, which is gone afterwards. On file
    systems without locks a warning says so, and nobody is kept out.

    Args:
        folder: must be there.
        busy: raised if another process has it.

    Raises:
        OSError: it, or a file in it where that is what can be locked, cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    file = None
    try:
        problem = _lock(handle, busy)
        if problem is not None and problem.errno == errno.EBADF:  # only what is open for writing
            problem, file = _lock_file(handle, busy)
        if problem is not None:
            _log.warning(
                "%s: its file system has no locks (%s): nothing keeps a second run out of it",
                printable(str(folder)),
                problem.strerror,
            )
        yield
    finally:
        if file is not None:
            with suppress(OSError):  # what has struck in the block is to be seen
                os.unlink(_FILE, dir_fd=handle)
            os.close(file)
        os.close(handle)


def _lock(handle: int, busy: DaliVocError) -> OSError | None:
    """Lock what is open, or return why that is impossible."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise busy from None
    except OSError as e:
        return e
    return None


def _lock_file(folder: int, busy: DaliVocError) -> tuple[OSError | None, int | None]:
    """Lock a file that everybody opens by this name; return why not, or what is open."""
    while True:
        handle = os.open(_FILE, os.O_RDWR | os.O_CREAT, 0o666, dir_fd=folder)
        try:
            problem = _lock(handle, busy)
            # whoever had it may have removed it in between
            if problem is not None or _is_there(folder, handle):
                return problem, handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_there(folder: int, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(_FILE, dir_fd=folder), os.fstat(handle))
    except FileNotFoundError:
        return False
