"""PyTorch's DataLoader at its best: a worker per core, pinned memory, copies beside the work."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import torch

from benchmarks.cpu.peers._windows import shuffled_batches
from dali_voc._devices import pick_device
from dali_voc.config import Config

__all__ = ["device_batches"]


def device_batches(
    pairs: torch.utils.data.Dataset[Any], config: Config
) -> Generator[tuple[torch.Tensor, torch.Tensor], None, None]:
    """Yield collated batches of a data set without end, on the device of `loader.device`.

    The sampler does not end with the epoch, so nothing is lost to starting anew.
    """
    device = pick_device(config.loader.device)
    loader = torch.utils.data.DataLoader(
        pairs,
        batch_sampler=shuffled_batches(  # type: ignore[arg-type]
            num_samples=len(pairs),  # type: ignore[arg-type]
            batch_size=config.loader.batch_size,
            seed=config.loader.seed,
        ),
        num_workers=len(os.sched_getaffinity(0)),
        multiprocessing_context="fork",  # as users of Linux have it
        pin_memory=device.type == "cuda",
    )
    for images, labels in loader:
        yield images.to(device, non_blocking=True), labels.to(device, non_blocking=True)
