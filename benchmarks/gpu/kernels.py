"""Kernels that are timed alone: what they move, in bytes, and how long that takes.

A kernel is a function of the device; it returns the bytes that have to be read and written, each
once, and the seconds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import TypedDict

import torch

__all__ = ["Kernel", "Moved", "copy", "copy_seconds", "seconds_in_kernels"]


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
    return _seconds(lambda: target.copy_(source), device, is_meant=_is_copy)


def seconds_in_kernels(action: Callable[[], object], device: torch.device) -> float:
    """Return the GPU's time in kernels per call of `action`; on a CPU by the clock.

    What the host does to launch them is not in it, nor are copies.
    """
    return _seconds(action, device, is_meant=_is_kernel)


def _is_copy(event: str) -> bool:
    return event.startswith("Memcpy DtoD")


def _is_kernel(event: str) -> bool:
    return not event.startswith(("Memcpy", "Memset"))


def _seconds(
    action: Callable[[], object],
    device: torch.device,
    *,
    is_meant: Callable[[str], bool],
    runs: int = 10,
) -> float:
    """Return the mean time per call, by the GPU's own record (CUPTI, through PyTorch's profiler).

    Copies and kernels by the same record: events around them would count the gaps between them,
    too, which make a tenth of a copy of 100 MB.
    """
    if device.type == "cpu":
        return _seconds_by_clock(action)
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
        if event.device_type == torch.autograd.DeviceType.CUDA and is_meant(event.name)
    )
    if not microseconds:
        raise RuntimeError("the profiler saw nothing of what is timed")
    return 1e-6 * float(microseconds) / runs


def _seconds_by_clock(action: Callable[[], object]) -> float:
    times = []
    for _ in range(8):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times[3:])
