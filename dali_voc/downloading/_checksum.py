"""What a file must hash to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dali_voc.errors import DownloadError

__all__ = ["Checksum", "parse_checksum"]

_DIGITS = {"md5": 32, "sha256": 64}
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Checksum:
    """A checksum.

    Attributes:
        algorithm: md5 or sha256.
        digits: its value, hexadecimal, lower case.
    """

    algorithm: str
    digits: str

    def of(self, path: Path, *, progress: Callable[[int, int], None]) -> str:
        """Return a file's checksum of this kind; `progress` gets bytes done, and of how many.

        Raises:
            OSError: the file cannot be read.
        """
        digest = hashlib.new(self.algorithm, usedforsecurity=False)
        size, done = path.stat().st_size, 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                done += len(chunk)
                progress(done, size)
        return digest.hexdigest()


def parse_checksum(algorithm: str, text: str) -> Checksum:
    """Return a checksum that a user gave.

    Raises:
        DownloadError: it does not look like one.
    """
    digits = text.strip().lower()
    if not re.fullmatch(f"[0-9a-f]{{{_DIGITS[algorithm]}}}", digits):
        raise DownloadError(
            f"--{algorithm}: found {text!r}, expected {_DIGITS[algorithm]} hexadecimal digits"
        )
    return Checksum(algorithm=algorithm, digits=digits)
