"""What this process takes of memory."""

from __future__ import annotations

from pathlib import Path

__all__ = ["memory"]


def memory() -> dict[str, int]:
    """Resident memory of this process in MB, all of it, and that which no file backs."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[name].split()[0]) // 1024 for name in ("VmRSS", "RssAnon", "VmHWM")}
