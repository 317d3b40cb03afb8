"""What a process group has used: CPU time and memory, read from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["group_cpu_seconds", "group_pss_bytes"]

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def group_cpu_seconds(group: int) -> float:
    """Return user and system time of a group's processes and of their children that ended."""
    return _TICK * sum(sum(map(int, fields[11:15])) for _, fields in _members(group))


def group_pss_bytes(group: int) -> int:
    """Return the memory of a group's processes; pages that n processes share count 1/n in each."""
    total = 0
    for folder, _ in _members(group):
        try:
            text = (folder / "smaps_rollup").read_text()
        except OSError:  # it has just ended
            continue
        total += sum(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:")
    return 1024 * total


def _members(group: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield folders in /proc and what /proc/PID/stat says behind the name: state, parent, ..."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # the name may hold spaces and brackets
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[2]) == group:
                yield folder, fields
