"""What it was measured on: machine, driver, GPU, its clocks as found; nothing is changed."""

from __future__ import annotations

import subprocess
from typing import Any

import torch

from benchmarks.versions import version_of
from dali_voc.benchmarking import describe_machine

__all__ = ["describe_gpu_machine", "read_clocks"]

_FIXED = ("name", "driver_version", "memory.total", "clocks.max.sm", "clocks.max.mem")
_CLOCKS = (
    "clocks.sm",
    "clocks.mem",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "utilization.gpu",
)
_PACKAGES = ("nvidia-nvjpeg-cu12", "nvidia-libnvcomp-cu12", "torchvision", "opencv-python-headless")


def describe_gpu_machine(*, device: str) -> dict[str, Any]:
    """Return what has to be the same for two results to belong together, fit for JSON."""
    machine = describe_machine()
    machine["versions"] |= {name: version_of(name) for name in _PACKAGES}
    machine["torch_cuda"] = torch.version.cuda
    machine["cudnn"] = torch.backends.cudnn.version() if device == "cuda" else None
    if device == "cuda":
        machine["nvidia_smi"] = _query(_FIXED)
    return machine


def read_clocks(*, device: str) -> dict[str, str] | None:
    """Return the GPU's clocks, power and temperature at this moment; None on a CPU."""
    return _query(_CLOCKS) if device == "cuda" else None


def _query(fields: tuple[str, ...]) -> dict[str, str]:
    """Ask nvidia-smi, which only reads, of PyTorch's GPU; it may have another number there."""
    uuid = f"GPU-{torch.cuda.get_device_properties().uuid}"
    try:
        done = subprocess.run(
            [
                *("nvidia-smi", "-i", uuid, f"--query-gpu={','.join(fields)}"),
                "--format=csv,noheader",
            ],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as e:
        return {"error": f"nvidia-smi cannot be asked: {e}"}
    values = [value.strip() for value in done.stdout.strip().split(",")]
    return dict(zip(fields, values, strict=False))
