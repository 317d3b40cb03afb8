"""Batches out of DALI: keeps a pipeline running, and finds the files that make it fail."""

from __future__ import annotations

import functools
import os
import traceback
from dataclasses import dataclass, field
from typing import Any

import torch

from dali_voc._bad_samples import RETRIES, bad_samples_of
from dali_voc._batches import Batch, BatchKey, BatchPlan
from dali_voc._cache import Cache
from dali_voc._dali_errors import reason_from_dali
from dali_voc._devices import pick_prefetch
from dali_voc._pipeline_builder import PipelineBuilder
from dali_voc._prefetch import DALI_ERRORS, Prefetcher
from dali_voc._substitutes import Substitutes
from dali_voc.config import LoaderConfig
from dali_voc.errors import LoaderError

__all__ = ["Fetcher"]


@dataclass(kw_only=True)
class Fetcher:
    """Runs pipelines, one after another: after an error DALI's is of no further use.

    Attributes:
        build: makes them.
        plan: what batches consist of.
        substitutes: the bad samples met so far; more are added.
        prefetcher: the pipeline that is running.
        abandoned: one that was interrupted, while it may still be at work.
    """

    build: PipelineBuilder
    plan: BatchPlan
    substitutes: Substitutes
    prefetcher: Prefetcher | None = field(default=None, init=False)
    abandoned: Prefetcher | None = field(default=None, init=False)

    @property
    def _config(self) -> LoaderConfig:
        return self.build.config.loader

    @property
    def _cache(self) -> Cache | None:
        return self.build.cache

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
                if not self._handle_failure(e, last=retries == RETRIES):
                    # a file that was only being written, perhaps
                    if retries == RETRIES:
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
        except BaseException as e:
            # interrupted somewhere between DALI and its bookkeeping: neither is to be trusted
            struck, self.prefetcher = self.prefetcher, None
            if struck:
                self.abandoned = struck
                struck.abandon(e)
            else:  # while one was being built
                traceback.clear_frames(e.__traceback__)
            raise

    def _make_prefetcher(self) -> Prefetcher:
        if self.prefetcher and self.prefetcher.process != os.getpid():
            self.prefetcher = None  # its threads are not here; `_forks` keeps its pipeline
        if self.prefetcher is None:
            self._wait_for_abandoned()
            depth = pick_prefetch(self._config.prefetch, device=self.build.device)
            many = functools.partial(self.build, batch_size=self._config.batch_size, prefetch=depth)
            self.prefetcher = Prefetcher(
                many, self.build.index, depth=depth, tells_samples=self.build.tells_samples
            )
        return self.prefetcher

    def _wait_for_abandoned(self) -> None:
        # what it may still keep in a GPU's memory, the next one would read on another stream
        if self.abandoned and self._cache and self._cache.pictures:
            self.abandoned.close()
        self.abandoned = None

    def _fetch_from(self, prefetcher: Prefetcher, key: BatchKey) -> tuple[Batch, tuple[Any, ...]]:
        if prefetcher.next_up() != key:
            prefetcher.seek(self.plan.from_here(key, self.substitutes))
        device = self.build.device
        stream = torch.cuda.current_stream(device) if device.type == "cuda" else None
        return prefetcher.fetch(cuda_stream=stream)

    def _handle_failure(self, error: Exception, *, last: bool) -> bool:
        """Learn which samples are bad; return whether any is, or raise if so configured.

        Each is tried by itself; at last, a sample that the error names is bad without that.
        """
        # DALI has given up on the whole pipeline; the next batch gets a new one
        failed, self.prefetcher = self.prefetcher, None
        on_error = self._config.on_error
        bad = bad_samples_of(
            error,
            failed,
            self.build.index,
            functools.partial(self.build, batch_size=1, prefetch=1),
            every=on_error != "raise" and not last,
            last=last,
            tells_samples=self.build.tells_samples,
        )
        for sample, problem in bad.items():
            if self._cache:  # the files may be mended
                self._cache.refuse(sample)
            if on_error == "raise":
                raise problem from None  # DALI's text says less
            self.substitutes.add(
                sample, problem, consequence="skipped" if on_error == "skip" else "replaced"
            )
        return bool(bad)
