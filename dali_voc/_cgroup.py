"""What the control group of this process allows: limits of containers that nothing else shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["cpu_quota", "memory_limit", "process_limit"]

_NO_LIMIT = 2**60  # version 1 says so by a number near 2**63


def cpu_quota(*, root: Path = Path("/")) -> float | None:
    """Return how many cores' worth of time the process may use; None: as many as there are.

    Args:
        root: where /proc and /sys are.
    """
    quotas = []
    for folder in _folders(root, "cpu"):
        for quota, period in _quotas(folder):
            if quota > 0 and period > 0:
                quotas.append(quota / period)
    return min(quotas, default=None)


def memory_limit(*, root: Path = Path("/")) -> int | None:
    """Return how much memory the process may use, bytes; None: all there is."""
    names = ("memory.max", "memory.limit_in_bytes")
    texts = (_text(folder / name) for folder in _folders(root, "memory") for name in names)
    limits = [int(text) for text in texts if text.isdigit()]
    return min((limit for limit in limits if limit < _NO_LIMIT), default=None)


def process_limit(*, root: Path = Path("/")) -> int | None:
    """Return how many processes and threads there may be; None: as many as there can."""
    texts = (_text(folder / "pids.max") for folder in _folders(root, "pids"))
    return min((int(text) for text in texts if text.isdigit()), default=None)


def _quotas(folder: Path) -> Iterator[tuple[int, int]]:
    """Yield quota and period of a group, microseconds, as either version writes them."""
    pair = _text(folder / "cpu.max").split()
    if len(pair) == 2 and pair[0].isdigit() and pair[1].isdigit():
        yield int(pair[0]), int(pair[1])
    quota, period = (_text(folder / f"cpu.cfs_{what}_us") for what in ("quota", "period"))
    if quota.isdigit() and period.isdigit():
        yield int(quota), int(period)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield where a controller's files of our group and of those around it may be."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        names = controllers.split(",")
        # a container often sees its own group as the mount's root, whatever the path says
        if controllers and controller not in names:
            continue
        tops = (controllers, controller) if controllers else ("", "unified")
        inside = PurePosixPath(group.lstrip("/"))
        for top in dict.fromkeys(tops):
            for place in (inside, *inside.parents):
                yield root / "sys/fs/cgroup" / top / place


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
