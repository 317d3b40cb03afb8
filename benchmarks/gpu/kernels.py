"""Kernels that are timed alone: what they move, in bytes, and how long that takes.

A kernel is a function of the device; it returns the bytes that have to be read and written, each
once, and the seconds.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from typing import TypedDict

import torch

__all__ = ["Kernel", "Moved", "copy", "copy_seconds", "seconds_in_kernels", "seconds_of"]


class Moved(TypedDict):
    """What a kernel did."""

    bytes: int
    seconds: float


Kernel = Callable[[torch.device], Moved]

_COPIED = {"cuda": 1 << 30, "cpu": 1 << 24}  # bytes read, and as many written


def copy(device: torch.device) -> Moved:
    """Copy within the device's memory."""
    moved = 2 * _COPIED[device.type]
    return {"bytes": moved, "seconds": copy_seconds(device, moved=moved)}


def copy_seconds(device: torch.device, *, moved: int) -> float:
    """Return how long a copy takes that reads and writes `moved` bytes, half of them each."""
    source = torch.randint(256, (max(1, moved // 2),), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return seconds_of(lambda: target.copy_(source), device)


def seconds_of(action: Callable[[], object], device: torch.device, *, repeats: int = 20) -> float:
    """Return the median duration of work on the current stream, by events; on a CPU by the clock.

    On a GPU it runs behind a sleep of the stream, so that launching costs nothing.
    """
    for _ in range(3):
        action()
    if device.type == "cpu":
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            action()
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    torch.cuda.synchronize(device)
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(repeats + 1)]
    torch.cuda._sleep(10_000_000)  # cycles: some milliseconds
    marks[0].record()
    for mark in marks[1:]:
        action()
        mark.record()
    torch.cuda.synchronize(device)
    return statistics.median(
        1e-3 * before.elapsed_time(after) for before, after in itertools.pairwise(marks)
    )


def seconds_in_kernels(
    action: Callable[[], object], device: torch.device, *, runs: int = 10
) -> float:
    """Return the GPU's time in kernels per call of `action`; on a CPU as `seconds_of`.

    It is the GPU's own record of every kernel of the process, on whatever stream (CUPTI, through
    PyTorch's profiler). What the host does to launch them is not in it, nor are copies.
    """
    if device.type == "cpu":
        return seconds_of(action, device)
    from torch.profiler import ProfilerActivity, profile  # noqa: PLC0415

    for _ in range(5):
        action()
    torch.cuda.synchronize(device)
    with profile(
        activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA], acc_events=True
    ) as record:
        for _ in range(runs):
            action()
        torch.cuda.synchronize(device)
    microseconds = sum(
        event.time_range.elapsed_us()
        for event in record.events() or ()
        if event.device_type == torch.autograd.DeviceType.CUDA
        and not event.name.startswith(("Memcpy", "Memset"))
    )
    if not microseconds:
        raise RuntimeError("the profiler saw no kernel")
    return 1e-6 * float(microseconds) / runs
