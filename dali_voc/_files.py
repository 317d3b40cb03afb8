"""Writing results so that a half-written one never has its final name."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["make_folder", "named_in_errors", "sync_folder", "write_bytes", "write_text"]


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where they are missing.

    Raises:
        NotADirectoryError: it, or one above it, is a file.
        OSError: it cannot be made for another reason.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(p for p in (path, *path.parents) if p.exists() and not p.is_dir())
        reason = "found a file, expected a folder to write into"
        raise NotADirectoryError(errno.ENOTDIR, reason, str(file)) from None


def write_text(path: Path, text: str) -> None:
    """Write a file of UTF-8 whole or not at all, as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(
    path: Path, data: bytes, *, durable: bool = False, follows_links: bool = True
) -> None:
    """Write a file whole or not at all.

    What a link leads to is replaced, and not the link; pipes and devices are written to.

    Args:
        path: the file.
        data: its content.
        durable: return only when it is on the disk.
        follows_links: false for a file that nobody has named: whatever has its name is replaced.

    Raises:
        OSError: the folder is missing or not writable, or the disk is full.
    """
    with named_in_errors(path):
        if not follows_links:
            _replace(path, data, durable=durable)
        elif path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
        else:
            _replace(Path(os.path.realpath(path)), data, durable=durable)


@contextmanager
def named_in_errors(path: Path) -> Iterator[None]:
    """Let errors of writing name the file: not a temporary one, and not none."""
    try:
        yield
    except OSError as e:
        reason = f"cannot be written ({e.strerror or e})"
        raise OSError(e.errno or errno.EIO, reason, str(path)) from None


def _replace(path: Path, data: bytes, *, durable: bool) -> None:
    # not by tempfile, whose files only their owner may read
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):  # interrupted behind `replace`, it is gone
            os.unlink(temporary)
        raise


def sync_folder(path: Path) -> None:
    """Return when the names of a folder's files are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
