"""The loader: epochs of (images, labels) as torch tensors."""

from __future__ import annotations

import functools
import os
from types import TracebackType
from typing import Any, Literal

import torch
from torch.utils.dlpack import from_dlpack
from typing_extensions import Self

from dali_voc._batches import BatchPlan
from dali_voc._diagnose import explain_failure
from dali_voc._prefetch import Prefetcher
from dali_voc._ranks import Ranks, find_ranks
from dali_voc.config import Config
from dali_voc.datasets import DATASETS, PairIndex
from dali_voc.datasets._sizes import drop_small
from dali_voc.errors import DatasetError, LoaderError
from dali_voc.labels import LabelSpec, LabelTables

__all__ = ["Loader", "build_loader"]


def build_loader(
    config: Config,
    *,
    split: str = "train",
    training: bool | None = None,
    rank: int | None = None,
    world_size: int | None = None,
) -> Loader:
    """Find a split's pairs and return a loader over them.

    Args:
        config: from `load_config` or `parse_config`.
        split: name of the split, such as "train" or "val".
        training: shuffle, crop at random and flip; else list order, centre crop, no flip, the same
            every time. By default, true for splits whose name begins with "train".
        rank: of this process; by default from `torch.distributed` or torchrun's environment.
        world_size: number of processes, given together with `rank`.

    Raises:
        DatasetError: the split cannot be found, has unpaired or missing files, or gives no batch.
        ConfigError: the ranks make no sense.
    """
    index = DATASETS[config.dataset.name](config.dataset.path, split)
    if config.augment.small == "drop":
        index = drop_small(index, config.augment.crop_size)
    return Loader(
        config,
        index,
        training=split.startswith("train") if training is None else training,
        ranks=find_ranks(rank=rank, world_size=world_size),
    )


class Loader:
    """Iterates over (images, labels), epoch after epoch.

    images: float32 [n, 3, crop height, crop width], normalised. labels: int64 [n, crop height,
    crop width], class indices, `labels.ignore_index` on void and padding. n is the batch size;
    smaller in the last batch of an epoch if `loader.last_batch` is "partial". Both lie on
    `loader.device` and stay valid as long as they are held.

    Each `for` is an epoch of its own, also after a `break`. A loader has one position: a new `for`
    ends the one before. Use it in a `with` block, or call `close`.

    Args:
        config: the configuration.
        index: the pairs.
        training: see `build_loader`.
        ranks: the place of this process among those that share the data.
    """

    def __init__(
        self, config: Config, index: PairIndex, *, training: bool, ranks: Ranks | None = None
    ) -> None:
        self._config = config
        self._index = index
        self._plan = BatchPlan.from_config(
            config, num_samples=len(index), training=training, ranks=ranks or Ranks()
        )
        self._length = self._plan.num_batches()
        if self._length == 0:
            raise DatasetError(
                f"{config.dataset.path}: {len(index)} pairs give no full batch of "
                f"{config.loader.batch_size} on {self._plan.ranks.world_size} ranks, and "
                "loader.last_batch is 'drop'"
            )
        self._device = pick_device(config.loader.device, local_rank=self._plan.ranks.local_rank)
        self._prefetcher: Prefetcher | None = None
        self._next_epoch = 0
        self._iterator: _EpochIterator | None = None
        self._closed = False

    def __len__(self) -> int:
        """Return the number of batches of an epoch; it never changes."""
        return self._length

    def __iter__(self) -> _EpochIterator:
        """Begin the next epoch."""
        if self._closed:
            raise LoaderError("the loader is closed")
        self._iterator = _EpochIterator(self, self._next_epoch)
        self._next_epoch += 1
        return self._iterator

    @property
    def device(self) -> torch.device:
        """Where batches lie."""
        return self._device

    @property
    def index(self) -> PairIndex:
        """The pairs, in list order."""
        return self._index

    @property
    def spec(self) -> LabelSpec:
        """The classes and their colours."""
        return self._index.spec

    def close(self) -> None:
        """Stop the threads and give memory back; batches that are held stay valid."""
        self._closed = True
        self._prefetcher = None
        self._iterator = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fetch(self, iterator: _EpochIterator) -> tuple[torch.Tensor, torch.Tensor]:
        if self._closed or iterator is not self._iterator:
            reason = "the loader is closed" if self._closed else "a newer 'for' took over"
            raise LoaderError(f"this iterator has ended: {reason}")
        if self._prefetcher is None:
            self._prefetcher = Prefetcher(
                functools.partial(
                    self._build_pipeline,
                    batch_size=self._config.loader.batch_size,
                    prefetch=self._config.loader.prefetch,
                ),
                self._index,
                depth=self._config.loader.prefetch,
            )
        prefetcher = self._prefetcher
        stream = torch.cuda.current_stream(self._device) if self._device.type == "cuda" else None
        try:
            if prefetcher.next_up() != (iterator.epoch, iterator.step):
                prefetcher.seek(self._plan.from_here(iterator.epoch, iterator.step))
            outputs = prefetcher.fetch(cuda_stream=stream)
        except RuntimeError as e:
            # DALI gives up on the whole pipeline; the next batch gets a new one.
            self._prefetcher = None
            build = functools.partial(self._build_pipeline, batch_size=1, prefetch=1)
            raise explain_failure(e, prefetcher.failed, self._index, build) from e
        images, labels = (from_dlpack(output.as_tensor()) for output in outputs)
        return images, labels

    def _build_pipeline(self, source: Any, *, batch_size: int, prefetch: int) -> Any:
        # Importing DALI takes a while; configuration and order work without it.
        from dali_voc.pipeline import build_pipeline  # noqa: PLC0415

        return build_pipeline(
            source,
            config=self._config,
            tables=LabelTables.build(
                self._index.spec, ignore_index=self._config.labels.ignore_index
            ),
            batch_size=batch_size,
            device="cuda" if self._device.type == "cuda" else "cpu",
            device_id=self._device.index,
            threads=pick_threads(self._config.loader.threads),
            prefetch=prefetch,
        )


class _EpochIterator:
    def __init__(self, loader: Loader, epoch: int) -> None:
        self.epoch = epoch
        self.step = 0
        self._loader = loader

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.step >= len(self._loader):
            raise StopIteration
        batch = self._loader._fetch(self)
        self.step += 1
        return batch


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
