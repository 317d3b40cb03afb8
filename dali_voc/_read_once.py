"""Runs every sample once through a pipeline, and goes on after bad ones."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dali_voc._bad_samples import RETRIES, bad_samples_of
from dali_voc._batches import Batch, BatchKey
from dali_voc._dali_errors import reason_from_dali
from dali_voc._prefetch import DALI_ERRORS, Prefetcher
from dali_voc.datasets import PairIndex
from dali_voc.errors import LoaderError, SampleError

__all__ = ["BuildPipeline", "read_once"]

_BATCH = 16
_PREFETCH = 2


class BuildPipeline(Protocol):
    """Makes a pipeline around a source."""

    def __call__(self, source: Any, *, batch_size: int, prefetch: int) -> Any:
        """Return the pipeline, built."""


def read_once(
    index: PairIndex,
    build: BuildPipeline,
    *,
    samples: Sequence[int],
    raising: bool,
    batch: int = _BATCH,
) -> Iterator[tuple[int, tuple[npt.NDArray[Any], ...] | SampleError]]:
    """Yield what a pipeline makes of each sample, or what is wrong with it.

    Args:
        index: where the files are.
        build: makes the pipeline.
        samples: which samples, ascending.
        raising: raise what is wrong with the first bad sample.
        batch: how many are read together.

    Yields:
        The sample, and the pipeline's outputs or what is wrong; in the order given.

    Raises:
        SampleError: a sample is bad, and `raising` is set.
        LoaderError: it is not a file's fault.
    """
    many = functools.partial(build, batch_size=batch, prefetch=_PREFETCH)
    one = functools.partial(build, batch_size=1, prefetch=1)
    todo = np.asarray(samples, np.int64)
    prefetcher: Prefetcher | None = None
    bad: dict[int, SampleError] = {}  # those whose turn has not come
    failures = 0
    try:
        while len(todo) > 0:
            try:
                if prefetcher is None:
                    prefetcher = Prefetcher(many, index, depth=_PREFETCH)
                    prefetcher.seek(_plan(todo, batch))
                made, outputs = prefetcher.fetch()
            except DALI_ERRORS as e:
                # DALI has given up on the whole pipeline; what is left gets a new one
                failed, prefetcher = prefetcher, None
                last = failures == RETRIES
                found = bad_samples_of(e, failed, index, one, every=not raising, last=last)
                if found and raising:
                    raise next(iter(found.values())) from None  # DALI's text says less
                failures = 0 if found else failures + 1
                if failures > RETRIES:
                    first = index.labels[int(todo[0])]
                    raise LoaderError(
                        f"DALI failed {failures} times on labels from {first} on, though "
                        f"each loads by itself: {reason_from_dali(e)}"
                    ) from e
            else:
                found = {}
                failures = 0
                done = made.samples.tolist()
                for i, sample in enumerate(done):
                    for earlier in sorted(other for other in bad if other < sample):
                        yield earlier, bad.pop(earlier)
                    yield sample, tuple(np.asarray(output[i]) for output in outputs)
                todo = todo[len(done) :]
            if found:
                bad |= found
                todo = todo[~np.isin(todo, list(found))]
    finally:
        if prefetcher:  # its thread is not to outlive an interrupt
            prefetcher.close()
    yield from sorted(bad.items())


def _plan(samples: npt.NDArray[np.int64], batch: int) -> Iterator[Batch]:
    """Yield batches of the samples, and then of one sample without end, for what reads ahead."""
    starts = range(0, len(samples), batch)
    for step, members in enumerate(samples[first : first + batch] for first in starts):
        key = BatchKey(epoch=0, step=step)
        yield Batch(key=key, planned=members, samples=members, parameters={})
    end = samples[-1:]
    while True:
        key = BatchKey(epoch=1)
        yield Batch(key=key, planned=end, samples=end, parameters={})
