"""What "auto" and null stand for: which device, how many batches ahead, its JPEG engines' share."""

from __future__ import annotations

from typing import Literal

import torch

from dali_voc.errors import LoaderError

__all__ = [
    "has_gpu_graph",
    "pick_device",
    "pick_hw_decoder_load",
    "pick_prefetch",
]

# On an H200 with 16 cores the loader gained by every step from 0 to this, see the sweeps of
# benchmarks/results/gpu.json; Hopper has seven engines, an A100 one. Capability 10 is the data
# centre's Blackwell; later numbers are given to GPUs for desks and vehicles as well.
_MANY_ENGINES, _LOAD_FOR_MANY = (9, 10), 1.0
# And by this where nothing is decoded, see section "cache" there: batches pass through more stages
# than on a CPU. It takes memory, which GPUs of that kind have.
_PREFETCH, _PREFETCH_FOR_MANY = 2, 4


def pick_device(device: str, *, local_rank: int | None = None) -> torch.device:
    """Return the device that `loader.device` stands for.

    Args:
        device: as configured.
        local_rank: number of the process on this machine. It is also its GPU's, unless the process
            sees only one, as launchers may have it; None for the current GPU.

    Raises:
        LoaderError: "cuda" where PyTorch finds no GPU, or a GPU where there are fewer than ranks.
    """
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise LoaderError(
            "loader.device is 'cuda', but PyTorch finds no CUDA GPU; use 'auto' or 'cpu'"
        )
    gpus = torch.cuda.device_count()
    if local_rank is None or gpus == 1:
        return torch.device("cuda", torch.cuda.current_device())
    if local_rank >= gpus:
        raise LoaderError(
            f"local rank {local_rank}: found {gpus} GPUs, expected one for each process, or only "
            "its own to be visible (CUDA_VISIBLE_DEVICES)"
        )
    return torch.device("cuda", local_rank)


def pick_hw_decoder_load(load: float | None, *, device: torch.device) -> float | None:
    """Return the share of the JPEGs for a GPU's JPEG engines; None: as DALI has it.

    Args:
        load: as configured; None where it is left to us.
        device: where batches are made.
    """
    if load is not None or device.type != "cuda":
        return load
    return _LOAD_FOR_MANY if _has_many_engines(device) else None


def pick_prefetch(prefetch: int | Literal["auto"], *, device: torch.device) -> int:
    """Return the number of batches made ahead.

    Args:
        prefetch: as configured; "auto" where it is left to us.
        device: where batches are made.
    """
    if prefetch != "auto":
        return prefetch
    return _PREFETCH_FOR_MANY if _has_many_engines(device) else _PREFETCH


def _has_many_engines(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.get_device_capability(device)[0] in _MANY_ENGINES


def has_gpu_graph(device: torch.device) -> bool:
    """Return whether pipelines for this device are laid out as for a GPU.

    Tests let this be true on a CPU: the same graph then runs with every operator there.
    """
    return device.type == "cuda"
