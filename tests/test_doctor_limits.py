"""What the system allows: made-up /proc and /sys, limits that are pretended."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dali_voc import parse_config
from dali_voc._cgroup import cpu_quota, memory_limit
from dali_voc.config import Config
from dali_voc.doctoring import _limits

GIB = 2**30
INFINITE = resource.RLIM_INFINITY


def _config(**sections: Any) -> Config:
    return parse_config({"dataset": {"root": "x"}, **sections})


def _tree(root: Path, files: dict[str, object]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


VERSION_1 = "3:cpuset:/\n2:cpu,cpuacct:/docker/ab\n1:memory:/docker/ab"


@pytest.mark.parametrize(
    ("files", "quota", "limit"),
    [
        ({}, None, None),
        ({"proc/self/cgroup": "0::/"}, None, None),
        (
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/cpu.max": "150000 100000",
                "sys/fs/cgroup/memory.max": 3 * GIB,
            },
            *(1.5, 3 * GIB),
        ),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/cpu.max": "max 100000",
                "sys/fs/cgroup/a/cpu.max": "200000 100000",
                "sys/fs/cgroup/a/b/cpu.max": "800000 100000",
                "sys/fs/cgroup/a/memory.max": GIB,
                "sys/fs/cgroup/a/b/memory.max": "max",
                "sys/fs/cgroup/other/cpu.max": "1000 100000",
            },
            *(2.0, GIB),
        ),
        (
            {
                "proc/self/cgroup": VERSION_1,
                # seen from within the container, whose path is another
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": 50000,
                "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": 100000,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": 2 * GIB,
                "sys/fs/cgroup/cpuset/memory.limit_in_bytes": 5,
            },
            *(0.5, 2 * GIB),
        ),
        (
            {
                "proc/self/cgroup": VERSION_1,
                "sys/fs/cgroup/cpu/docker/ab/cpu.cfs_quota_us": -1,
                "sys/fs/cgroup/cpu/docker/ab/cpu.cfs_period_us": 100000,
                "sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes": 9223372036854771712,
            },
            *(None, None),
        ),
        (
            {"proc/self/cgroup": "nonsense", "sys/fs/cgroup/cpu.max": "one two"},
            *(None, None),
        ),
    ],
)
def test_control_groups(
    tmp_path: Path, files: dict[str, object], quota: float | None, limit: int | None
) -> None:
    root = _tree(tmp_path, files)
    assert cpu_quota(root=root) == quota
    assert memory_limit(root=root) == limit


@pytest.mark.parametrize(
    ("threads", "quota", "level", "advice"),
    [
        ("auto", None, "ok", ""),
        ("auto", "400000 100000", "ok", ""),
        ("auto", "350000 100000", "ok", ""),
        ("auto", "150000 100000", "ok", ""),
        (4, "150000 100000", "ok", ""),
        (16, None, "ok", ""),
        (17, None, "warning", "loader.threads=4"),
        (5, "100000 100000", "warning", "loader.threads=1'"),
    ],
)
def test_cores(  # noqa: PLR0917
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    threads: Any,
    quota: str | None,
    level: str,
    advice: str,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3})
    files = {"proc/self/cgroup": "0::/"} | ({"sys/fs/cgroup/cpu.max": quota} if quota else {})
    finding = _limits.check_cores(threads, root=_tree(tmp_path, files))
    assert finding.level == level
    assert advice in finding.advice
    assert finding.found.startswith("4 of ")


@pytest.mark.parametrize(
    ("cache", "limit", "level"),
    [
        ("none", None, "ok"),
        ({"keep": "decoded", "memory": 7.9}, None, "ok"),
        ({"keep": "decoded", "memory": 8.1}, None, "warning"),
        ({"keep": "encoded", "memory": 4.0}, 3 * GIB, "warning"),
        ({"keep": "none", "memory": 4.0}, 3 * GIB, "ok"),
    ],
)
def test_memory(tmp_path: Path, cache: Any, limit: int | None, level: str) -> None:
    files: dict[str, object] = {
        "proc/meminfo": f"MemFree: 5 kB\nMemAvailable:  {8 * GIB // 1024} kB",
        "proc/self/cgroup": "0::/",
        "sys/fs/cgroup/memory.max": limit or "max",
    }
    finding = _limits.check_memory(_config(cache=cache), root=_tree(tmp_path, files))
    assert finding.level == level
    assert "8.0 GiB free" in finding.found
    assert ("/dev/shm" in finding.found) == (cache != "none" and cache["keep"] != "none")


def test_memory_without_proc(tmp_path: Path) -> None:
    assert _limits.check_memory(_config(), root=tmp_path).level == "warning"


# four batches of 8 pairs, 100x100 pixels, 3 float32 and an int64 each: 6,400,000 bytes
@pytest.mark.parametrize(
    ("free", "dtype", "level"),
    [(6_400_000, "float32", "ok"), (6_399_999, "float32", "warning"), (4_000_000, "uint8", "ok")],
)
def test_shared_memory(monkeypatch: pytest.MonkeyPatch, free: int, dtype: str, level: str) -> None:
    stat = SimpleNamespace(f_frsize=1, f_blocks=64 * 2**20, f_bavail=free)
    monkeypatch.setattr(os, "statvfs", lambda _: stat)
    config = _config(
        loader={"batch_size": 8},
        augment={"crop_size": [100, 100]},
        normalize={"dtype": dtype},
    )
    finding = _limits.check_shared(config)
    assert finding.level == level
    assert "free of 64 MiB" in finding.found
    assert ("--shm-size 2g" in finding.advice) == (level == "warning")


def test_docker_s_shared_memory_is_too_small_for_the_defaults(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stat = SimpleNamespace(f_frsize=4096, f_blocks=16384, f_bavail=16384)
    monkeypatch.setattr(os, "statvfs", lambda _: stat)
    assert _limits.check_shared(_config()).level == "warning"


def test_no_shared_memory(tmp_path: Path) -> None:
    finding = _limits.check_shared(_config(), folder=tmp_path / "none")
    assert (finding.level, finding.found) == (
        "warning",
        f"{tmp_path}/none: No such file or directory",
    )


@pytest.mark.parametrize(
    ("soft", "hard", "level", "advice"),
    [
        (1024, 4096, "ok", ""),
        (INFINITE, INFINITE, "ok", ""),
        (256, 4096, "warning", "ulimit -n 1024"),
        (256, INFINITE, "warning", "ulimit -n 1024"),
        (256, 512, "warning", "raise the hard limit to 1024"),
    ],
)
def test_open_files(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, level: str, advice: str
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    finding = _limits.check_open_files()
    assert finding.level == level
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("soft", "of_group", "level", "found"),
    [
        (INFINITE, None, "ok", "up to any number of this user"),
        (INFINITE, "max", "ok", "up to any number of this user"),
        (4096, "1000", "ok", "up to 4,096 of this user, 1,000 in this process's group"),
        (4096, "100", "warning", "up to 4,096 of this user, 100 in this process's group; threads"),
        (64, None, "warning", "up to 64 of this user; threads count"),
    ],
)
def test_processes(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    soft: int,
    of_group: str | None,
    level: str,
    found: str,
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("0::/\n")
    (tmp_path / "sys/fs/cgroup").mkdir(parents=True)
    if of_group:
        (tmp_path / "sys/fs/cgroup/pids.max").write_text(f"{of_group}\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    finding = _limits.check_processes(root=tmp_path)
    assert finding.level == level
    assert finding.found.startswith(found)
    assert ("--pids-limit" in finding.advice) == (level == "warning")


@pytest.mark.parametrize(
    ("soft", "gpu", "error", "level", "found"),
    [
        (8 << 20, False, None, "ok", "up to 8.0 MiB; only a GPU needs it"),
        (INFINITE, True, None, "ok", "no limit"),
        (64 << 10, True, None, "ok", "up to 0.1 MiB"),
        (64 << 10, True, "CUDA error", "warning", "pinning 64 MiB for the GPU failed: CUDA error"),
    ],
)
def test_locked_memory(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch, soft: int, gpu: bool, error: str | None, level: str, found: str
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    finding = _limits.check_locked_memory(has_gpu=gpu, pinned_error=error)
    assert finding.level == level
    assert found in finding.found
