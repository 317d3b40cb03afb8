"""What follows behind the end of a tar: nothing, or something that a reader would not see."""

from __future__ import annotations

import tarfile
from typing import BinaryIO

__all__ = ["first_block", "is_header"]

_CHUNK = 1 << 20  # bytes, whole blocks


def first_block(file: BinaryIO) -> bytes:
    """Return the first block from here on that is not all zeros; nothing if there is none.

    Args:
        file: stands at the beginning of a block.
    """
    while chunk := file.read(_CHUNK):
        if chunk.count(0) < len(chunk):
            zeros = len(chunk) - len(chunk.lstrip(b"\0"))
            start = zeros // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE
            return chunk[start : start + tarfile.BLOCKSIZE]
    return b""


def is_header(block: bytes) -> bool:
    """Return whether a member of a tar begins with this block: its checksum is right."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True
