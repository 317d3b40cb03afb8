"""One process at a time in a folder."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dali_voc.errors import DaliVocError

__all__ = ["locked_folder"]

_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EBADF)


@contextmanager
def locked_folder(folder: Path, *, busy: DaliVocError) -> Iterator[None]:
    """Keep other processes out that lock it as well; nothing more, on file systems without locks.

    Args:
        folder: must be there.
        busy: raised if another process has it.

    Raises:
        OSError: it cannot be opened.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise busy from None
        except OSError as e:
            if e.errno not in _NO_LOCKS:
                raise
        yield
    finally:
        os.close(handle)
