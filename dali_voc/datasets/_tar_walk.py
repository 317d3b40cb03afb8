"""Walks through the headers of a tar."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, cast

from dali_voc._tar_damage import only_tar_errors
from dali_voc.datasets._tar_end import first_block, is_header
from dali_voc.errors import DatasetError

__all__ = ["walk"]

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_LONGEST_HEADER = 1 << 20  # bytes


def walk(path: Path, notes: list[str]) -> Iterator[tuple[tarfile.TarInfo, int]]:
    """Yield each member, and the size in bytes of the tar, which may end within it.

    Args:
        path: the tar.
        notes: sentences about what may not be meant are added to them at the end.

    Raises:
        DatasetError: the file is compressed, cut short, damaged, several tars or none.
    """
    try:
        with open(path, "rb") as file:
            _check_magic(path, file.read(6))
            size = os.fstat(file.fileno()).st_size
            file.seek(0)
            with only_tar_errors():
                headers = cast("IO[bytes]", _Headers(file))
                tar = tarfile.open(fileobj=headers, mode="r:")  # noqa: SIM115
            with tar:
                for info in _infos(tar):
                    yield info, size
                file.seek(tar.offset)
                end = file.read(tarfile.BLOCKSIZE)
                behind = first_block(file)
    except tarfile.TarError as e:
        raise DatasetError(f"{path}: damaged or truncated tar ({e})") from None
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror})") from None
    if len(end) < tarfile.BLOCKSIZE:
        raise DatasetError(f"{path}: truncated tar, it ends without an end-of-archive mark")
    if any(end):
        raise DatasetError(f"{path}: damaged tar, no header where one should be, at {tar.offset}")
    if behind and is_header(behind):
        raise DatasetError(
            f"{path}: found another tar behind the end of this one, expected one; 'tar "
            "--concatenate' joins them, 'cat' does not"
        )
    if behind:
        notes.append("something that is no tar follows behind its end, and is not read")


def _infos(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    behind = 0
    while True:
        with only_tar_errors():
            info = tar.next()
        if info is None:
            return
        vars(tar)["members"].clear()  # which would grow with the shard
        if info.size < 0 or tar.offset <= behind:
            raise tarfile.ReadError(f"{info.name} has an impossible size")
        behind = tar.offset
        yield info


@dataclass(frozen=True)
class _Headers:
    """A file that only headers are read from: tarfile asks for as much as one claims to be."""

    file: BinaryIO

    def read(self, size: int) -> bytes:
        """Read as a file does.

        Raises:
            tarfile.ReadError: no header is as long.
        """
        if size > _LONGEST_HEADER:
            raise tarfile.ReadError(f"found a header of {size:,} bytes")
        return self.file.read(size)

    def seek(self, place: int) -> int:
        """Go there."""
        return self.file.seek(place)

    def tell(self) -> int:
        """Return the place."""
        return self.file.tell()


def _check_magic(path: Path, start: bytes) -> None:
    for magic, name in _COMPRESSED.items():
        if start.startswith(magic):
            raise DatasetError(
                f"{path}: this is compressed ({name}), expected a tar that is not compressed: "
                "its members are read one by one"
            )
