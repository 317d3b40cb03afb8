"""Fetches a file over HTTP: resumes, tries again, checks size and checksum."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dali_voc.downloading._address import shown
from dali_voc.downloading._catalogue import Archive
from dali_voc.downloading._http import BrokenTransferError, RestartError, ask
from dali_voc.downloading._part import Part, Version, hash_of_url
from dali_voc.errors import DownloadError

__all__ = ["Patience", "Progress", "check_file", "fetch"]

_log = logging.getLogger("dali_voc")

# What is being done, bytes done, and of how many, where that is known.
Progress = Callable[[str, int, int | None], None]

# An attempt that brings so much shows that the server works: failures are counted anew.
_GOOD_ATTEMPT = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to put up with a bad connection.

    Attributes:
        tries: attempts in succession that may bring next to nothing.
        timeout: seconds without a byte after which an attempt counts as failed.
        first_wait: seconds before the second attempt; doubled for each further one.
        longest_wait: seconds.
    """

    tries: int = 6
    timeout: float = 30.0
    first_wait: float = 1.0
    longest_wait: float = 60.0


def fetch(
    archive: Archive,
    path: Path,
    *,
    patience: Patience,
    progress: Progress,
    check_space: Callable[[int, int], None],
) -> None:
    """Fetch a file, or the rest of it, unless it is there.

    Args:
        archive: address, size and checksum.
        path: its final name; until it is whole and checked it is called `NAME.part`.
        patience: how often to try.
        progress: is told how far it is.
        check_space: is told how many bytes are still to come, and of how many; may raise.

    Raises:
        DownloadError: it cannot be had, or is not what it should be.
        OSError: the folder cannot be written.
    """
    part = Part(path)
    if path.exists():
        if archive.checksum is None and part.came_from != hash_of_url(archive.url):
            raise DownloadError(
                f"{path}: found a file already, and without --md5 or --sha256 nothing says that it "
                f"is that of {shown(archive.url)}; move it away, or give its path as --url"
            )
        check_file(archive, path, progress=progress)
        return
    _drop_what_cannot_be_resumed(part, archive)
    for is_last in False, True:
        resumed = _transfer(
            part, archive, patience=patience, progress=progress, check_space=check_space
        )
        problem = _problem(archive, part.path, progress=progress)
        if problem is None:
            break
        part.discard()
        if is_last or not resumed:
            raise DownloadError(f"{shown(archive.url)}: {problem}")
        _log.warning(
            "%s: %s, after going on with a part of it: begins anew", shown(archive.url), problem
        )
    part.finish(origin=archive.url if archive.checksum is None else None)


def check_file(archive: Archive, path: Path, *, progress: Progress) -> None:
    """Check size and checksum of a file as far as they are known.

    Raises:
        DownloadError: they differ.
    """
    problem = _problem(archive, path, progress=progress)
    if problem:
        raise DownloadError(f"{path}: {problem}")


def _problem(archive: Archive, path: Path, *, progress: Progress) -> str | None:
    size = path.stat().st_size
    if archive.size is not None and size != archive.size:
        return f"found {size:,} bytes, expected {archive.size:,}"
    if archive.checksum is None:
        return None
    found = archive.checksum.of(path, progress=lambda done, of: progress("checking", done, of))
    if found == archive.checksum.digits:
        return None
    return f"found {archive.checksum.algorithm} {found}, expected {archive.checksum.digits}"


def _drop_what_cannot_be_resumed(part: Part, archive: Archive) -> None:
    """Without a checksum in the end, only what the server names as the same version is trusted."""
    version = part.version
    known = version is not None and (
        archive.checksum is not None
        or (version.origin == hash_of_url(archive.url) and (version.etag or version.modified))
    )
    if not known:
        part.discard()


def _transfer(
    part: Part,
    archive: Archive,
    *,
    patience: Patience,
    progress: Progress,
    check_space: Callable[[int, int], None],
) -> bool:
    """Fill the part, and return when it has the size that server or archive say.

    Returns:
        Whether it was put together of several answers.
    """
    failures, most, resumed = 0, part.size, part.size > 0
    while archive.size is None or part.size < archive.size:
        resumed = resumed or part.size > 0
        try:
            _attempt(part, archive, patience.timeout, progress=progress, check_space=check_space)
            return resumed
        except RestartError as e:
            if _is_whole(part, archive):
                return resumed
            part.discard()
            reason, wait = str(e), 0.0
        except BrokenTransferError as e:
            reason, wait = str(e), e.wait
        failures = 1 if part.size - most >= _GOOD_ATTEMPT else failures + 1
        most = max(most, part.size)
        if failures >= patience.tries:
            kept = f"; {part.size:,} bytes are kept, and the same command goes on from there"
            raise DownloadError(
                f"{shown(archive.url)}: {reason}, at the last of {failures} tries"
                f"{kept if part.size else ''}"
            )
        wait = max(wait, patience.first_wait * 2 ** (failures - 1))
        wait = min(wait, patience.longest_wait)
        _log.warning("%s: %s; trying again in %.0f s", shown(archive.url), reason, wait)
        time.sleep(wait)
    return resumed


def _is_whole(part: Part, archive: Archive) -> bool:
    """Whether the server's "nothing behind this" means that all is there."""
    total = archive.size if archive.size is not None else part.version and part.version.total
    return total is not None and part.size == total


def _attempt(
    part: Part,
    archive: Archive,
    timeout: float,
    *,
    progress: Progress,
    check_space: Callable[[int, int], None],
) -> None:
    origin = hash_of_url(archive.url)
    same_place = part.version is not None and part.version.origin == origin
    if_range = part.version.if_range if part.version and same_place else None
    with ask(archive.url, offset=part.size, if_range=if_range, timeout=timeout) as reply:
        if reply.total is not None and archive.size not in {None, reply.total}:
            raise DownloadError(
                f"{shown(archive.url)}: found {reply.total:,} bytes, expected {archive.size:,}"
            )
        version = Version(
            origin=origin, total=reply.total, etag=reply.etag, modified=reply.modified
        )
        if reply.start not in {0, part.size}:
            raise RestartError(f"sends bytes from {reply.start:,}, not from {part.size:,}")
        if reply.start and same_place and part.version and part.version.contradicts(version):
            raise RestartError("the file has changed on the server")
        total = archive.size if archive.size is not None else reply.total
        if total is not None:
            check_space(total - reply.start, total)
        if reply.start == 0:
            part.begin(version)
        progress("downloading", part.size, total)
        for chunk in reply.chunks():
            if total is not None and part.size + len(chunk) > total:
                part.discard()
                raise DownloadError(
                    f"{shown(archive.url)}: found more bytes than the {total:,} expected"
                )
            part.append(chunk)
            progress("downloading", part.size, total)
    if total is not None and part.size < total:
        raise BrokenTransferError(f"the connection ended at {part.size:,} of {total:,} bytes")
