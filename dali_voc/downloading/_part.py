"""`NAME.part`, the bytes that have come so far, and `NAME.part.json`, what they are of."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from dali_voc._files import sync_folder, write_text
from dali_voc.errors import DownloadError

__all__ = ["Part", "Version", "hash_of_url"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """Which version of which file the bytes are of.

    Attributes:
        origin: what `hash_of_url` makes of its address.
        total: its size as the server said, bytes, or None.
        etag: the server's name for it, or None.
        modified: the server's date of it, or None.
    """

    origin: str
    total: int | None
    etag: str | None
    modified: str | None

    @property
    def if_range(self) -> str | None:
        """What makes a server send the rest of this version only; weak ETags may not be used."""
        if self.etag and not self.etag.startswith("W/"):
            return self.etag
        return self.modified

    def contradicts(self, other: Version) -> bool:
        """Whether the other cannot be the same version."""
        pairs = (
            (self.total, other.total),
            (self.etag, other.etag),
            (self.modified, other.modified),
        )
        return any(a is not None and b is not None and a != b for a, b in pairs)


def hash_of_url(url: str) -> str:
    """Return what tells an address from others; it may have a secret in it."""
    return f"sha256 {hashlib.sha256(url.encode()).hexdigest()}"


class Part:
    """A file that is not whole yet.

    Attributes:
        path: its place, `NAME.part`.
        version: what it is of, or None where nobody knows.
        size: bytes that are there.
    """

    def __init__(self, final: Path) -> None:
        self._final = final
        self.path = final.with_name(f"{final.name}.part")
        self._record = final.with_name(f"{final.name}.part.json")
        self._origin = final.with_name(f".{final.name}.from")
        self.version = self._read_version()
        self.size = self.path.stat().st_size if self.path.is_file() else 0

    def discard(self) -> None:
        """Forget what is there."""
        self._record.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        self.version, self.size = None, 0

    def begin(self, version: Version) -> None:
        """Begin anew with a version."""
        self.discard()
        write_text(self._record, json.dumps(dataclasses.asdict(version)))
        self.path.touch()
        self.version = version

    def append(self, chunk: bytes) -> None:
        """Add bytes.

        Raises:
            DownloadError: they cannot be written, as the disk is full for example.
        """
        try:
            # unbuffered, so that `size` is what the file holds
            with self.path.open("ab", buffering=0) as file:
                view = memoryview(chunk)
                while view:
                    written = file.write(view)
                    self.size += written
                    view = view[written:]
        except OSError as e:
            raise DownloadError(
                f"{self.path}: cannot be written ({e.strerror}); {self.size:,} bytes are kept, "
                "and the same command goes on from there"
            ) from None

    @property
    def came_from(self) -> str | None:
        """A hash of the address that the whole file came from, where `finish` has noted it."""
        try:
            return self._origin.read_text()
        except (OSError, ValueError):
            return None

    def forget(self) -> None:
        """Remove the whole file, and what is known of it."""
        self._final.unlink()
        self._origin.unlink(missing_ok=True)

    def finish(self, *, origin: str | None = None) -> None:
        """Give the file its final name, durably.

        Args:
            origin: its address, where nothing else tells what the file is; it is noted beside it.
        """
        if origin is not None:
            write_text(self._origin, hash_of_url(origin))
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self._final)
        self._record.unlink(missing_ok=True)
        sync_folder(self._final.parent)

    def _read_version(self) -> Version | None:
        try:
            return Version(**json.loads(self._record.read_text()))
        except (OSError, ValueError, TypeError):
            return None  # cut or foreign: as if it were not there
