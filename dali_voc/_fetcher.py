"""Batches out of DALI: keeps a pipeline running, and finds the files that make it fail."""

from __future__ import annotations

import contextlib
import functools
import os
from dataclasses import dataclass, field
from typing import Any

import torch

from dali_voc._batches import Batch, BatchKey, BatchPlan
from dali_voc._cache import Cache
from dali_voc._devices import pick_hw_decoder_load, pick_prefetch
from dali_voc._diagnose import find_bad_samples
from dali_voc._prefetch import DALI_ERRORS, Prefetcher
from dali_voc._substitutes import Substitutes
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.errors import LoaderError, cannot_start, reason_from_dali
from dali_voc.labels import LabelTables

__all__ = ["Fetcher"]

_RETRIES = 5  # of a batch that fails although each of its samples loads by itself


@dataclass(kw_only=True)
class Fetcher:
    """Runs pipelines, one after another: after an error DALI's is of no further use.

    Attributes:
        config: the configuration.
        index: the pairs.
        plan: what batches consist of.
        device: where they are to lie.
        on_gpu: whether the graph is a GPU's.
        whole: whether whole pictures are shown, not crops.
        cache: where samples are kept.
        substitutes: the bad samples met so far; more are added.
        prefetcher: the pipeline that is running.
    """

    config: Config
    index: PairIndex
    plan: BatchPlan
    device: torch.device
    on_gpu: bool
    whole: bool
    cache: Cache | None
    substitutes: Substitutes
    prefetcher: Prefetcher | None = field(default=None, init=False)

    def fetch(self, key: BatchKey) -> tuple[Batch, tuple[Any, ...]]:
        """Return a batch and the pipeline's outputs; quick if it is the one after the last.

        Raises:
            SampleError: a file is bad, and `loader.on_error` is "raise".
            LoaderError: DALI failed, and it is not the files.
        """
        retries = 0
        while True:
            try:
                return self._run_pipeline(key)
            except DALI_ERRORS as e:
                if not self._handle_failure(e, last=retries == _RETRIES):
                    # a file that was only being written, perhaps
                    if retries == _RETRIES:
                        raise LoaderError(
                            f"DALI failed {retries + 1} times on batch {key.step} of epoch "
                            f"{key.epoch}, though each of its samples loads by itself: "
                            f"{reason_from_dali(e)}"
                        ) from e
                    retries += 1

    def close(self) -> None:
        """End the threads and the pipeline."""
        prefetcher, self.prefetcher = self.prefetcher, None
        if prefetcher and prefetcher.process == os.getpid():
            prefetcher.close()

    def _run_pipeline(self, key: BatchKey) -> tuple[Batch, tuple[Any, ...]]:
        try:
            return self._fetch_from(self._make_prefetcher(), key)
        except DALI_ERRORS:
            raise
        except BaseException:
            # interrupted somewhere between DALI and its bookkeeping: neither is to be trusted
            self.prefetcher = None
            raise

    def _make_prefetcher(self) -> Prefetcher:
        if self.prefetcher and self.prefetcher.process != os.getpid():
            self.prefetcher = None  # its threads are not here; `_forks` keeps its pipeline
        if self.prefetcher is None:
            depth = pick_prefetch(self.config.loader.prefetch, device=self.device)
            build = functools.partial(
                self._build_pipeline, batch_size=self.config.loader.batch_size, prefetch=depth
            )
            cached = self.cache is not None
            self.prefetcher = Prefetcher(build, self.index, depth=depth, cached=cached)
        return self.prefetcher

    def _fetch_from(self, prefetcher: Prefetcher, key: BatchKey) -> tuple[Batch, tuple[Any, ...]]:
        if prefetcher.next_up() != key:
            prefetcher.seek(self.plan.from_here(key, self.substitutes))
        stream = torch.cuda.current_stream(self.device) if self.device.type == "cuda" else None
        return prefetcher.fetch(cuda_stream=stream)

    def _handle_failure(self, error: Exception, *, last: bool) -> bool:
        """Learn which samples are bad; return whether any is, or raise if so configured.

        Each is tried by itself; at last, a sample that the error names is bad without that.
        """
        # DALI has given up on the whole pipeline; the next batch gets a new one
        failed, self.prefetcher = self.prefetcher, None
        batch = failed.give_up(error) if failed else None
        if batch is None:  # there is no pipeline, or it did not begin
            raise cannot_start(error) from error
        on_error = self.config.loader.on_error
        bad = find_bad_samples(
            error,
            batch,
            self.index,
            functools.partial(self._build_pipeline, batch_size=1, prefetch=1),
            every=on_error != "raise" and not last,
            cached=self.cache is not None,
        )
        for sample, problem in bad.items():
            if self.cache:  # the files may be mended
                self.cache.refuse(sample)
            if on_error == "raise":
                raise problem from None  # DALI's text says less
            self.substitutes.add(
                sample, problem, consequence="skipped" if on_error == "skip" else "replaced"
            )
        return bool(bad)

    def _build_pipeline(self, source: Any, *, batch_size: int, prefetch: int) -> Any:
        # Importing DALI takes a while; configuration and order work without it.
        from dali_voc.pipeline import build_pipeline  # noqa: PLC0415

        if self.cache and self.cache.pictures and self.device.type == "cuda":
            # what an old one has still to copy there, the new one reads on another stream
            with contextlib.suppress(RuntimeError):
                torch.cuda.synchronize(self.device)
        return build_pipeline(
            source,
            columns=self.index.columns,
            config=self.config,
            augment=self.plan.augment,
            whole=self.whole,
            num_classes=len(self.index.spec.classes),
            tables=LabelTables.build(self.index.spec, ignore_index=self.config.labels.ignore_index),
            batch_size=batch_size,
            on_gpu=self.on_gpu,
            device_id=self.device.index,
            threads=pick_threads(self.config.loader.threads),
            prefetch=prefetch,
            hw_decoder_load=pick_hw_decoder_load(
                self.config.loader.hw_decoder_load, device=self.device
            ),
            cache=self.cache,
        )
