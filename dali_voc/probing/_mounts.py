"""Which file system a path is on."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["file_system"]


def file_system(path: bytes, *, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Return the kind of file system that a path is on, such as ext4, nfs4, overlay or tmpfs."""
    place = os.fsdecode(os.path.realpath(path))
    best, kind = "", None
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return None
    for line in lines:
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4])
        inside = place == mount or place.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):  # the last of several at one place is on top
            best, kind = mount, after.split(" ")[0]
    return kind
