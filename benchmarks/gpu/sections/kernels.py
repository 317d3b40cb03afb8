"""Each kernel alone against a copy within the device's memory that moves as many bytes."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu.dali_kernels import DALI_KERNELS
from benchmarks.gpu.kernels import copy, copy_seconds
from benchmarks.gpu.our_kernels import OUR_KERNELS
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.worker import Worker

__all__ = ["run"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time our kernels, and for comparison DALI's operators that do the same."""
    names = ["copy"]
    found: dict[str, Any] = {"kernels": {}}
    if settings.dry_run:
        found["not_timed"] = "DALI's kernels and ours, which need a GPU"
    else:
        names += [*OUR_KERNELS, *DALI_KERNELS]
    with Worker() as worker:
        for name in names:
            found["kernels"][name] = worker.run(_time, name, settings.device)
            note(found)
    demand(found)
    return found


def _time(name: str, device_name: str) -> dict[str, Any]:
    device = torch.device(device_name)
    moved = ({"copy": copy} | OUR_KERNELS | DALI_KERNELS)[name](device)
    return {
        **moved,
        "ours": name in OUR_KERNELS,
        "gigabytes_per_second": moved["bytes"] / moved["seconds"] / 1e9,
        "of_copy": copy_seconds(device, moved=moved["bytes"]) / moved["seconds"],
    }
