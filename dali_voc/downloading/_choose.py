"""From what a user asks for to an archive."""

from __future__ import annotations

import dataclasses
import os
import urllib.parse
from pathlib import Path, PurePosixPath

from dali_voc._near_match import near_match
from dali_voc.downloading._address import shown
from dali_voc.downloading._by_hand import BY_HAND
from dali_voc.downloading._catalogue import ARCHIVES, SBD, Archive
from dali_voc.downloading._checksum import Checksum
from dali_voc.errors import DownloadError

__all__ = ["archive_name", "choose_archive", "data_set_name", "local_path"]

_ALIASES = {"sbd": SBD, "voc": "voc2012"}


def data_set_name(text: str) -> str:
    """Return the name in the catalogue, or of a data set that is fetched by hand.

    Raises:
        DownloadError: there is none of this name.
    """
    name = _ALIASES.get(text.lower(), text.lower())
    known = [*ARCHIVES, *BY_HAND]
    if name not in known:
        raise DownloadError(
            f"{text}: no data set that is known here; expected one of {', '.join(known)}"
            f"{near_match(name, [*known, *_ALIASES])}"
        )
    return name


def choose_archive(
    name: str,
    *,
    url: str | None = None,
    mirror: str | None = None,
    checksum: Checksum | None = None,
) -> Archive:
    """Return the archive to take for a data set.

    Args:
        name: a name of `ARCHIVES`.
        url: address or path of another archive in the same layout.
        mirror: another address or path of the very same archive, or of the folder it is in.
        checksum: what it must hash to, in place of what the catalogue has.

    Raises:
        DownloadError: not both of `url` and `mirror`, or it is no address.
    """
    archive = ARCHIVES[name]
    if url is not None and mirror is not None:
        raise DownloadError("--url, --mirror: found both, expected one")
    if mirror is not None:
        own = PurePosixPath(urllib.parse.urlsplit(archive.url).path).name
        where = _address(mirror, "--mirror")
        where = f"{where.rstrip('/')}/{own}" if mirror.endswith("/") else where
        archive = dataclasses.replace(archive, url=where)
    if url is not None:
        archive = Archive(url=_address(url, "--url"))
    return dataclasses.replace(archive, checksum=checksum) if checksum else archive


def local_path(archive: Archive) -> Path | None:
    """Return the path of an archive that is a file already, or None."""
    parts = urllib.parse.urlsplit(archive.url)
    if parts.scheme != "file":
        return None
    return Path(os.fsdecode(urllib.parse.unquote_to_bytes(parts.path)))


def archive_name(archive: Archive, name: str) -> str:
    """Return the file name for an archive of a data set."""
    last = PurePosixPath(urllib.parse.unquote(urllib.parse.urlsplit(archive.url).path)).name
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in last).lstrip(".")
    return safe[:200] or f"{name}.tar"


def _address(text: str, option: str) -> str:
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme in {"http", "https"}:
        try:
            parts = urllib.parse.urlsplit(text)
            valid = bool(parts.hostname) and parts.port != 0  # raises where it is no number
            # what is not escaped in a password may end the host's name before it does
            behind = f"{parts.path}{parts.query}{parts.fragment}"
            valid &= not (":" in parts.netloc and "@" not in parts.netloc and "@" in behind)
        except ValueError:
            valid = False
        if not valid or any(c.isspace() for c in text):
            raise DownloadError(
                f"{option}: found {shown(text)!r}, expected an address, in whose password / ? # "
                "and @ are written %2F %3F %23 and %40"
            )
        return text
    if scheme == "file":
        return text
    if scheme:
        raise DownloadError(
            f"{option}: found {shown(text)!r}, expected http, https, file or a path"
        )
    return Path(text).expanduser().absolute().as_uri()
