"""The loaders that are timed: each yields, without end, epoch after epoch of batches."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import torch

from dali_voc._batches import BatchKey, BatchPlan
from dali_voc._build_loader import build_loader
from dali_voc._devices import pick_device, pick_prefetch
from dali_voc._prefetch import Prefetcher
from dali_voc._substitutes import Substitutes
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.datasets import find_index
from dali_voc.reference import VOCSegFiles

__all__ = ["CONTENDERS", "Contender", "Item", "bound_batches", "endless"]

# A batch of images and labels, valid until the next is asked for; of a contender that makes none,
# the number of its pairs. On a GPU the current stream waits for it, the host need not.
Item = tuple[torch.Tensor, torch.Tensor] | int
Contender = Callable[[Config, str], Generator[Item, None, None]]


def loader_batches(config: Config, split: str) -> Generator[Item, None, None]:
    """The loader, as configured."""
    with build_loader(config, split=split, training=True) as loader:
        while True:
            yield from ((images, labels) for images, labels in loader)


def bound_batches(
    config: Config, split: str, *, hw_decoder_load: float | None = None
) -> Generator[Item, None, None]:
    """DALI decodes the same JPEGs, in the same order, for each crop, and does nothing else."""
    from dali_voc.pipeline import build_decode_only_pipeline  # noqa: PLC0415

    index = find_index(config.dataset, split)
    plan = BatchPlan.from_config(config, num_samples=len(index), training=True)
    device = pick_device(config.loader.device)
    prefetch = pick_prefetch(config.loader.prefetch, device=device)
    prefetcher = Prefetcher(
        lambda source: build_decode_only_pipeline(
            source,
            columns=index.columns,
            batch_size=config.loader.batch_size,
            device_id=device.index,
            threads=pick_threads(config.loader.threads),
            prefetch=prefetch,
            hw_decoder_load=hw_decoder_load,
        ),
        index,
        depth=prefetch,
    )
    substitutes = Substitutes(seed=0, num_samples=len(index))  # of none
    prefetcher.seek(plan.from_here(BatchKey(epoch=0), substitutes))
    stream = torch.cuda.current_stream(device) if device.type == "cuda" else None
    while True:
        batch, _ = prefetcher.fetch(cuda_stream=stream)
        yield len(batch.samples)


def reference_batches(config: Config, split: str) -> Generator[Item, None, None]:
    """PyTorch's DataLoader with two workers, Pillow, and the textbook's 256^3 table."""
    loader = torch.utils.data.DataLoader(
        VOCSegFiles(split, config.augment.crop_size, config.dataset.path),
        batch_size=config.loader.batch_size,
        shuffle=True,
        num_workers=2,
        persistent_workers=True,
    )
    return endless(loader)


def endless(loader: torch.utils.data.DataLoader[Any]) -> Generator[Item, None, None]:
    """Yield a DataLoader's batches, epoch after epoch."""
    while True:
        epoch = iter(loader)
        try:
            yield from ((images, labels) for images, labels in epoch)
        finally:
            # workers that are stopped in the middle of a batch abort (PyTorch 2.13)
            for _ in epoch:
                pass


CONTENDERS: dict[str, Contender] = {
    "loader": loader_batches,
    "bound": bound_batches,
    "reference": reference_batches,
}
