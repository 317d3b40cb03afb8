"""Makes a loader's pipelines."""

from __future__ import annotations

import contextlib
import importlib
from dataclasses import dataclass
from typing import Any

import torch

from dali_voc._cache import Cache
from dali_voc._devices import pick_hw_decoder_load
from dali_voc._label_reading import LabelReading
from dali_voc._threads import pick_threads
from dali_voc._turns import close_at_exit
from dali_voc.config import AugmentConfig, Config
from dali_voc.datasets import PairIndex

__all__ = ["PipelineBuilder"]


@dataclass(frozen=True, kw_only=True)
class PipelineBuilder:
    """All that a loader's pipelines have in common.

    Attributes:
        config: the configuration.
        index: the pairs.
        augment: what happens to a sample on the way.
        device: where batches are to lie.
        on_gpu: whether the graph is a GPU's.
        whole: whether whole pictures are shown, not crops.
        cache: where samples are kept.
        repeats: whether neighbours in a batch may be crops of one sample.
    """

    config: Config
    index: PairIndex
    augment: AugmentConfig
    device: torch.device
    on_gpu: bool
    whole: bool
    cache: Cache | None
    repeats: bool = False

    @property
    def tells_samples(self) -> bool:
        """Whether pipelines are to be told the numbers of samples."""
        return self.cache is not None or self.repeats

    def __post_init__(self) -> None:
        # Not with the first batch: a process that is forked from another thread meanwhile would
        # wait for ever for the end of the import.
        pipeline = importlib.import_module("dali_voc.pipeline")
        for name in self.augment.operators:
            pipeline.UserOperator.find(name)
        close_at_exit()

    def __call__(self, source: Any, *, batch_size: int, prefetch: int) -> Any:
        """Return a pipeline around a source, built."""
        # here, as this module is imported where no loader is built; DALI takes a while
        from dali_voc.pipeline import build_pipeline  # noqa: PLC0415

        if self.cache and self.cache.pictures and self.device.type == "cuda":
            # what an old one has still to copy there, the new one reads on another stream
            with contextlib.suppress(RuntimeError):
                torch.cuda.synchronize(self.device)
        loader, labels = self.config.loader, self.config.labels
        # on the way to a GPU as narrow as they may be: they are widened there
        dtype = None if self.on_gpu else labels.dtype
        return build_pipeline(
            source,
            columns=self.index.columns,
            config=self.config,
            augment=self.augment,
            whole=self.whole,
            reading=LabelReading.of(self.index.spec, labels, dtype=dtype),
            batch_size=batch_size,
            on_gpu=self.on_gpu,
            device_id=self.device.index,
            threads=pick_threads(loader.threads),
            prefetch=prefetch,
            hw_decoder_load=pick_hw_decoder_load(loader.hw_decoder_load, device=self.device),
            cache=self.cache,
            tells_samples=self.tells_samples,
        )
