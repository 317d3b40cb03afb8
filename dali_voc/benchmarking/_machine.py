"""What a figure was measured with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import torch

__all__ = ["describe_machine"]

_PACKAGES = (
    "dali-voc",
    "nvidia-dali-cuda120",
    "nvidia-nvimgcodec-cu12",
    "torch",
    "numpy",
    "pillow",
)


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, GPU, system and package versions, fit for JSON."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()
