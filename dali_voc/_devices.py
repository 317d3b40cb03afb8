"""What "auto" stands for: which device, how many threads."""

from __future__ import annotations

import os
from typing import Literal

import torch

from dali_voc.errors import LoaderError

__all__ = ["has_gpu_graph", "pick_device", "pick_threads"]


def pick_threads(threads: int | Literal["auto"]) -> int:
    """Return the number of CPU threads; "auto" is one per core that this process may use."""
    return len(os.sched_getaffinity(0)) if threads == "auto" else threads


def pick_device(device: str, *, local_rank: int | None = None) -> torch.device:
    """Return the device that `loader.device` stands for.

    Raises:
        LoaderError: "cuda" where PyTorch finds no GPU.
    """
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise LoaderError(
            "loader.device is 'cuda', but PyTorch finds no CUDA GPU; use 'auto' or 'cpu'"
        )
    number = torch.cuda.current_device() if local_rank is None else local_rank
    return torch.device("cuda", number)


def has_gpu_graph(device: torch.device) -> bool:
    """Return whether pipelines for this device are laid out as for a GPU.

    Tests let this be true on a CPU: the same graph then runs with every operator there.
    """
    return device.type == "cuda"
