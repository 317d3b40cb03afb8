"""A stream that gives no more than it is allowed to: what stops a decompression bomb."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

__all__ = ["AllowanceError", "MeteredStream"]

_MAGIC: dict[bytes, Callable[..., object]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}


class AllowanceError(Exception):
    """More was read than is allowed."""


class MeteredStream:
    """The content of a file, decompressed if it is gzip, bzip2 or xz, within an allowance.

    Attributes:
        allowance: bytes that may still be read.
        compressed: whether there is something to decompress.
    """

    def __init__(self, path: Path) -> None:
        self.allowance = 0
        self.compressed = False
        with ExitStack() as stack:
            file: IO[bytes] = stack.enter_context(path.open("rb"))
            magic = file.read(6)
            file.seek(0)
            for prefix, opener in _MAGIC.items():
                if magic.startswith(prefix):
                    self.compressed = True
                    file = stack.enter_context(cast("IO[bytes]", opener(file, "rb")))
            self._file = file
            self._stack = stack.pop_all()

    def read(self, size: int) -> bytes:
        """Return at most so many bytes.

        Raises:
            AllowanceError: more was read than is allowed.
            EOFError, zlib.error, lzma.LZMAError: the data are damaged or end early.
        """
        try:
            data = self._file.read(size)
        except OSError as e:
            if e.errno is not None:
                raise
            raise EOFError(str(e)) from None  # what gzip and bz2 say of damaged data
        self.allowance -= len(data)
        if self.allowance < 0:
            raise AllowanceError
        return data

    def close(self) -> None:
        """Close the file."""
        self._stack.close()
