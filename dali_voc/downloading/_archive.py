"""Reads a tar archive that nobody vouches for, and unpacks it into an empty folder."""

from __future__ import annotations

import itertools
import os
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import IO, cast

from typing_extensions import Self

from dali_voc._tar_damage import only_tar_errors
from dali_voc.downloading._metered import AllowanceError, MeteredStream
from dali_voc.errors import DownloadError

__all__ = ["ArchiveError", "open_archive", "unpack"]

_BLOCK = 10240  # what tarfile reads at a time
_HEADERS = 1 << 20  # for a member's headers, among them those of long names
_MOST_MEMBERS = 1_000_000
_LONGEST_NAME = 255  # of a file or folder, bytes
_LONGEST_PATH = 1024
# photographs, PNG and MATLAB's files are compressed; more than this is a bomb
_MOST_BLOW_UP = 4
_NO_BOMB = 1 << 24
_CHUNK = 1 << 20


class ArchiveError(DownloadError):
    """An archive is damaged, or holds what it should not."""


class _StrictHeader(tarfile.TarInfo):
    """A header; tarfile itself takes a damaged or missing one for the archive's end."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.HeaderError as e:
            raise tarfile.ReadError(str(e)) from None


def unpack(
    archive: Path,
    folder: Path,
    *,
    progress: Callable[[int], None],
) -> None:
    """Unpack the files of an archive.

    tarfile reads here and writes nothing, so that its extraction filters have nothing to do; what
    `filter="data"` refuses is refused by `open_archive`.

    Args:
        archive: a tar file, as it is or compressed by gzip, bzip2 or xz.
        folder: an empty folder.
        progress: is told the bytes unpacked.

    Raises:
        ArchiveError: see `open_archive`; or a file has the place of a folder.
        OSError: the disk is full, or the folder cannot be written.
    """
    done = 0
    with open_archive(archive) as files:
        for name, content in files:
            with _new_file(archive, folder, name) as target:
                while chunk := content.read(_CHUNK):
                    target.write(chunk)
                    done += len(chunk)
                    progress(done)


def _new_file(archive: Path, folder: Path, name: str) -> IO[bytes]:
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")  # never over a file
    except (FileExistsError, NotADirectoryError):
        raise ArchiveError(
            f"{archive}: found '{name}' where it has something else already, expected names that "
            "fit together"
        ) from None


@contextmanager
def open_archive(
    archive: Path, *, only_files: bool = False
) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Open an archive; gives its files in their order: name, and content to be read at once.

    Names are relative, without `..`, and each comes once. Whole archives are refused for what no
    data set needs: links, devices, holes, names that lead out, and more than fits their size.

    Args:
        archive: a tar file, as it is or compressed by gzip, bzip2 or xz.
        only_files: pass over links and the like, for those who do not unpack.

    Raises:
        ArchiveError: it is damaged, ends early, or holds something of these. This may turn out
            only when it is read, in the body of `with`.
        OSError: it cannot be read.
    """
    try:
        with closing(MeteredStream(archive)) as stream:
            yield _files(archive, stream, only_files=only_files)
    except AllowanceError:
        raise ArchiveError(
            f"{archive}: found more than {_HEADERS:,} bytes about one file, expected no archive "
            "that blows up"
        ) from None
    except (tarfile.TarError, EOFError, zlib.error, LZMAError) as e:
        raise ArchiveError(
            f"{archive}: cannot be read as a tar archive ({e}), expected a whole one"
        ) from None


def _files(
    archive: Path, stream: MeteredStream, *, only_files: bool
) -> Iterator[tuple[str, IO[bytes]]]:
    size = archive.stat().st_size
    # a plain archive holds no more than its own bytes
    room = max(size * _MOST_BLOW_UP, _NO_BOMB) if stream.compressed else None
    unpacked = 0
    seen: set[str] = set()
    for member, content in _members(archive, stream):
        name = _checked_name(archive, member)
        if member.isdir() or (only_files and not member.isreg()):
            continue
        _check_kind(archive, member)
        assert content is not None  # it is a file
        unpacked += member.size
        if room is not None and unpacked > room:
            raise ArchiveError(
                f"{archive}: found more in it than its {size:,} bytes allow, at '{name}', expected "
                "no archive that blows up"
            )
        if name in seen:
            raise ArchiveError(f"{archive}: found '{name}' twice, expected it once")
        seen.add(name)
        yield name, content


def _members(
    archive: Path, stream: MeteredStream
) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Yield what is in an archive; the content of a member is passed over when the next is due."""
    stream.allowance = _HEADERS
    with only_tar_errors():
        tar = tarfile.open(  # noqa: SIM115
            fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=_BLOCK, tarinfo=_StrictHeader
        )
    with tar:
        for count in itertools.count():
            with only_tar_errors():
                member = tar.next()
            if member is None:
                return
            if count >= _MOST_MEMBERS:
                raise ArchiveError(f"{archive}: found more than {_MOST_MEMBERS:,} files")
            tar.members = []  # type: ignore[attr-defined]  # else tarfile keeps them all
            stream.allowance = member.size + _HEADERS
            content = tar.extractfile(member) if member.isreg() else None
            yield member, content
            while content is not None and content.read(_CHUNK):
                pass
            stream.allowance = _HEADERS


def _checked_name(archive: Path, member: tarfile.TarInfo) -> str:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\0" in member.name:
        raise ArchiveError(
            f"{archive}: found the name {member.name!r}, expected one that stays in the folder"
        )
    if len(os.fsencode(member.name)) > _LONGEST_PATH or any(
        len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts
    ):
        raise ArchiveError(
            f"{archive}: found a name of {len(member.name):,} characters that begins with "
            f"{member.name[:40]!r}, expected at most {_LONGEST_NAME}"
        )
    return str(path)


def _check_kind(archive: Path, member: tarfile.TarInfo) -> None:
    if member.isreg() and not member.issparse() and member.size >= 0:
        return
    kind = (
        "link"
        if member.issym() or member.islnk()
        else "file with holes"
        if member.issparse()
        else "device or the like"
    )
    raise ArchiveError(
        f"{archive}: found a {kind}, '{member.name}', expected files and folders only"
    )
