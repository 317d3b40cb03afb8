"""Checks of what the system allows this process: memory, files, cores."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import Literal

from dali_voc._cgroup import cpu_quota, memory_limit, process_limit
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.doctoring._finding import Finding

__all__ = [
    "check_cores",
    "check_locked_memory",
    "check_memory",
    "check_open_files",
    "check_processes",
    "check_shared",
]

_KEPT = 4  # batches: 2 workers of a DataLoader have 2 each ready
_FILES = 1024
_PROCESSES = 256  # threads of DALI, of PyTorch and ours, and of a few workers
_NUMBER_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "uint8": 1, "int64": 8, "int32": 4}


def check_cores(threads: int | Literal["auto"], *, root: Path = Path("/")) -> Finding:
    """Compare the cores that may be used with the threads that a loader takes.

    Args:
        threads: `loader.threads`.
        root: where /proc and /sys are.
    """
    name = "CPU cores"
    taken, fitting = (pick_threads(asked, root=root) for asked in (threads, "auto"))
    quota = cpu_quota(root=root)
    found = f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}"
    if quota is not None:
        found += f", limited to {quota:.1f} cores' worth of time"
    found += f"; loader.threads: {threads} takes {_many(taken, 'thread')}"
    if taken > 4 * fitting:
        return Finding.warning(name, found, advice=f"use '--set loader.threads={fitting}' or auto")
    return Finding.ok(name, found)


def check_memory(config: Config, *, root: Path = Path("/")) -> Finding:
    """Compare the memory there is with what `cache` would take."""
    name = "memory"
    free = _available(root / "proc/meminfo")
    limit = memory_limit(root=root)
    if free is None:
        return Finding.warning(
            name, "/proc/meminfo does not say how much is free", advice="mount /proc"
        )
    found = f"{_gib(free)} free"
    if limit is not None:
        found += f"; this process's group may use {_gib(limit)}"
    usable = free if limit is None else min(free, limit)
    keep, wanted = config.cache.keep, config.cache.memory
    if keep == "none":
        return Finding.ok(name, found)
    found += f"; cache: {keep} takes up to {wanted:g} GiB (no part of /dev/shm)"
    if wanted * 2**30 > usable:
        return Finding.warning(
            name,
            found,
            advice="lower cache.memory, what does not fit is read anew each time; or give the "
            "container more memory",
        )
    return Finding.ok(name, found)


def check_shared(config: Config, *, folder: Path = Path("/dev/shm")) -> Finding:
    """Compare shared memory with what a DataLoader's workers would keep there.

    Our own loader needs none: its threads share memory anyway, and its cache has no file.
    """
    name = "shared memory"
    height, width = config.augment.crop_size
    bytes_a_pixel = 3 * _NUMBER_BYTES[config.normalize.dtype] + _NUMBER_BYTES[config.labels.dtype]
    wanted = _KEPT * config.loader.batch_size * height * width * bytes_a_pixel
    advice = (
        "this loader and its cache need none; a DataLoader with workers beside it, as in "
        "'dali-voc bench', does: run the container with '--shm-size 2g' (compose: shm_size)"
    )
    try:
        stat = os.statvfs(folder)
    except OSError as e:
        return Finding.warning(name, f"{folder}: {e.strerror}", advice=advice)
    size, free = stat.f_frsize * stat.f_blocks, stat.f_frsize * stat.f_bavail
    found = f"{folder} has {_gib(free)} free of {_gib(size)}"
    if free < wanted:
        return Finding.warning(
            name,
            f"{found}; two DataLoader workers keep up to {_gib(wanted)} there with these batches",
            advice=advice,
        )
    return Finding.ok(name, found)


def check_open_files() -> Finding:
    """Look at how many files may be open at once."""
    name = "open files"
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    found = f"up to {_limit(soft)}, could be raised to {_limit(hard)}"
    if soft == resource.RLIM_INFINITY or soft >= _FILES:
        return Finding.ok(name, found)
    enough = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    advice = f"run 'ulimit -n {enough}' before"
    if enough < _FILES:
        advice = f"raise the hard limit to {_FILES} (container: '--ulimit nofile={_FILES}')"
    return Finding.warning(name, found, advice=advice)


def check_processes(*, root: Path = Path("/")) -> Finding:
    """Look at how many processes and threads there may be."""
    name = "processes"
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    of_group = process_limit(root=root)
    found = f"up to {_limit(soft)} of this user"
    if of_group is not None:
        found += f", {of_group:,} in this process's group"
    limits = [limit for limit in (soft, of_group) if limit not in (None, resource.RLIM_INFINITY)]
    if min(limits, default=_PROCESSES) >= _PROCESSES:
        return Finding.ok(name, found)
    return Finding.warning(
        name,
        f"{found}; threads count",
        advice=f"raise it to {_PROCESSES} or more (ulimit -u; container: '--pids-limit'), or set "
        "loader.threads and OMP_NUM_THREADS to few",
    )


def check_locked_memory(*, has_gpu: bool, pinned_error: str | None = None) -> Finding:
    """Look at how much memory may be locked, and whether memory for a GPU could be.

    Args:
        has_gpu: whether there is a GPU.
        pinned_error: why memory could not be pinned on trial.
    """
    name = "locked memory"
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    found = "no limit" if soft == resource.RLIM_INFINITY else f"up to {soft / 2**20:,.1f} MiB"
    if pinned_error is not None:
        return Finding.warning(
            name,
            f"{found}; pinning 64 MiB for the GPU failed: {pinned_error}",
            advice="run 'ulimit -l unlimited' before (container: '--ulimit memlock=-1')",
        )
    return Finding.ok(name, found if has_gpu else f"{found}; only a GPU needs it")


def _available(meminfo: Path) -> int | None:
    try:
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _limit(number: int) -> str:
    return "any number" if number == resource.RLIM_INFINITY else f"{number:,}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
