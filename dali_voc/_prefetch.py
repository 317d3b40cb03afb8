"""Runs a DALI pipeline some batches ahead of the consumer and knows which batch is which."""

from __future__ import annotations

import functools
import os
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from dali_voc._batches import Batch, BatchKey
from dali_voc._worker import Answer, Worker
from dali_voc.datasets import PairIndex
from dali_voc.errors import LoaderError

__all__ = ["DALI_ERRORS", "BatchSource", "Prefetcher"]

# What DALI raises; the second where its text holds a file name that is not UTF-8.
DALI_ERRORS = (RuntimeError, UnicodeDecodeError)


class BatchSource:
    """What a pipeline calls for each batch, see `dali_voc.pipeline.Source`.

    It knows no pipeline, so that whoever lets go of a pipeline ends it there and then.

    Args:
        index: where the files are.
        tells_samples: whether the pipeline is told the numbers of samples.

    Attributes:
        running: batches that were begun; whoever hands one out takes it away.
    """

    def __init__(self, index: PairIndex, *, tells_samples: bool = False) -> None:
        self._index: PairIndex | None = index
        self._tells_samples = tells_samples
        self._plan: Iterator[Batch] = iter(())
        self._prepared: Callable[[], tuple[Batch, tuple[Any, ...]]] | None = None
        self.running: deque[Batch] = deque()

    def follow(self, plan: Iterator[Batch]) -> None:
        """Give these batches from now on."""
        self._plan, self._prepared = plan, None

    def end(self) -> None:
        """Give no more; DALI may hold this for longer than its pipeline is of use."""
        self._index = None
        self.follow(iter(()))

    def prepare(self) -> None:
        """Work out what the next call will give; what goes wrong is raised by that call."""
        try:
            batch = next(self._plan)
            assert self._index is not None
            arrays = (
                *self._index.arrays(batch.samples),
                *((batch.samples,) if self._tells_samples else ()),
                *batch.parameters.values(),
            )
        except Exception as e:
            self._prepared = functools.partial(_throw, e)
        else:
            self._prepared = lambda: (batch, arrays)

    def __call__(self) -> tuple[Any, ...]:
        if self._prepared is None:
            self.prepare()
        assert self._prepared is not None
        prepared, self._prepared = self._prepared, None
        batch, arrays = prepared()
        self.running.append(batch)
        return arrays


def _throw(error: Exception) -> NoReturn:
    raise error


class Prefetcher:
    """A pipeline, the batches it has yet to run, and those it is running.

    What a batch consists of takes a millisecond to hand to DALI and to work out. That is done in a
    thread, one batch at a time, while the consumer works: the next batch is handed over, for which
    everything else waits, and then the one after it is worked out.

    Args:
        build: makes the pipeline around a source.
        index: where the files are.
        depth: batches in the works at once.
        tells_samples: whether the pipeline is told the numbers of samples.

    Attributes:
        process: the one whose threads run it; in one that was forked off it is of no use.
    """

    def __init__(
        self,
        build: Callable[[Any], Any],
        index: PairIndex,
        *,
        depth: int,
        tells_samples: bool = False,
    ) -> None:
        self.process = os.getpid()
        self._depth = depth
        self._source = BatchSource(index, tells_samples=tells_samples)
        self._running = self._source.running
        self._build = build
        self._pipeline = build(self._source)
        self._worker = Worker()
        self._scheduling: Answer[None] | None = None
        self._preparing: Answer[None] | None = None

    def _wait(self) -> None:
        """Wait for the thread, and raise what went wrong in it."""
        scheduling, self._scheduling = self._scheduling, None
        if scheduling:
            scheduling.result()

    def _wait_for_source(self) -> None:
        """Wait until the thread has left the source alone."""
        if self._preparing:
            self._preparing.result()

    def next_up(self) -> BatchKey | None:
        """Return which batch `fetch` would return, if it is in the works."""
        if self._scheduling:
            self._scheduling.wait()
        return self._running[0].key if self._running else None

    def seek(self, plan: Iterator[Batch]) -> None:
        """Throw away what is in the works, and go on with `plan`, which must not end."""
        try:
            self._wait()
            while self._running:
                self._pipeline.share_outputs()
                self._pipeline.release_outputs()
                self._running.popleft()
        except (*DALI_ERRORS, LoaderError) as e:
            # a bad file, or too many of them, in batches that nobody wants any more
            self._running.clear()
            self._end_pipeline(e)
            self._pipeline = self._build(self._source)
        self._wait_for_source()
        self._source.follow(plan)

    def fetch(self, *, cuda_stream: Any = None) -> tuple[Batch, tuple[Any, ...]]:
        """Return the next batch and the pipeline's outputs; they stay valid while they are held.

        Raises:
            RuntimeError: DALI could not make the batch. `failed` then names it, and the pipeline
                is of no further use.
            LoaderError: the process is about to end, and has no more threads.
        """
        self._wait()
        while len(self._running) < self._depth:
            self._wait_for_source()
            scheduled = len(self._running)
            self._pipeline.schedule_run()
            if len(self._running) == scheduled:
                raise LoaderError("the pipeline takes no more batches")
        outputs: tuple[Any, ...] = self._pipeline.share_outputs(cuda_stream)
        self._pipeline.release_outputs()
        batch = self._running.popleft()
        try:
            self._scheduling = self._worker.submit(self._pipeline.schedule_run)
            self._preparing = self._worker.submit(self._source.prepare)
        except RuntimeError:
            # there is no thread, as when the process ends: batches are made when they are asked for
            self._preparing = None
        return batch, outputs

    def close(self) -> None:
        """Wait for the thread to end, and let go of what it reads from."""
        self._worker.close()
        self._source.end()

    def abandon(self, error: BaseException) -> None:
        """Let go of everything at once, and wait for nobody.

        Args:
            error: what has struck; a notebook keeps its traceback, and all that its frames hold.
        """
        self._worker.close(wait=False)
        self._scheduling = self._preparing = None
        self._source.end()
        self._end_pipeline(error)

    def give_up(self, error: BaseException) -> Batch | None:
        """End the pipeline, which is of no further use, before another begins; return `failed`.

        Args:
            error: what it raised.
        """
        failed = self.failed
        self.close()
        self._end_pipeline(error)
        return failed

    def _end_pipeline(self, error: BaseException) -> None:
        # an error that is being handled holds the calls it came through, and they the pipeline
        traceback.clear_frames(error.__traceback__)
        self._pipeline = None

    @property
    def failed(self) -> Batch | None:
        """The batch that `fetch` could not make, if one had been begun."""
        return self._running[0] if self._running else None
