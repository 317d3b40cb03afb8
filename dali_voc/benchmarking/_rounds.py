"""Times contenders in turn, round after round, each in a process of its own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from dali_voc.benchmarking._contenders import CONTENDERS
from dali_voc.config import Config
from dali_voc.errors import DaliVocError, LoaderError

__all__ = ["Timing", "run_rounds"]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What one contender reached.

    Attributes:
        rates: pairs per second, one per round.
    """

    rates: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rates)


def run_rounds(
    config: Config,
    *,
    split: str,
    names: tuple[str, ...],
    rounds: int,
    seconds: float,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Timing]:
    """Time each contender `rounds` times, interleaved, so that a slow spell hits all alike.

    Every contender is warmed up for two seconds or more, and lets some batches pass at the
    beginning of each round, so that what it had made ahead does not count.

    Args:
        config: the configuration that all follow.
        split: the split that all read.
        names: keys of `CONTENDERS`.
        rounds: number of rounds.
        seconds: length of each measurement.
        progress: called with a contender's name after each measurement.

    Raises:
        DaliVocError: a contender failed.
    """
    workers: dict[str, _Worker] = {}
    rates: dict[str, list[float]] = {name: [] for name in names}
    try:
        for name in names:
            workers[name] = _Worker(name, config, split)
            workers[name].measure(0.0)
        for _ in range(rounds):
            for name in names:
                rates[name].append(workers[name].measure(seconds))
                progress(name)
    finally:
        for worker in workers.values():
            worker.stop()
    return {name: Timing(rates=tuple(values)) for name, values in rates.items()}


class _Worker:
    """A contender in a process group of its own, which is frozen while it is not measured.

    Frozen, because a DataLoader's workers would otherwise fill their queues in others' time.
    """

    def __init__(self, name: str, config: Config, split: str) -> None:
        self._name = name
        # fork would copy the threads' locks of libraries already in use
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # not daemonic: PyTorch's DataLoader has children of its own
        self._process = context.Process(target=_serve, args=(theirs, name, config, split))
        self._process.start()
        theirs.close()

    def measure(self, seconds: float) -> float:
        """Return pairs per second; 0 seconds stand for the warm-up."""
        self._signal(signal.SIGCONT)
        try:
            self._connection.send(seconds)
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise LoaderError(f"the process that times '{self._name}' died") from None
        if isinstance(answer, DaliVocError):
            raise answer
        self._signal(signal.SIGSTOP)
        return float(answer)

    def stop(self) -> None:
        """End the process and its children."""
        self._connection.close()
        self._signal(signal.SIGCONT)
        self._process.join(20)
        self._signal(signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid
        # until the process has made its group, it is still in ours
        with contextlib.suppress(ProcessLookupError):
            if pid is not None and os.getpgid(pid) == pid:
                os.killpg(pid, number)


def _serve(connection: Connection, name: str, config: Config, split: str) -> None:
    """Measure whenever asked; a length of 0 is the warm-up. Ends when the pipe is closed."""
    os.setpgid(0, 0)
    skip = max(4, config.loader.prefetch) + 2  # a DataLoader with two workers is four ahead
    with contextlib.closing(CONTENDERS[name](config, split)) as batches:
        try:
            while True:
                seconds = connection.recv()
                if seconds == 0.0:
                    _pass(batches, seconds=2.0, at_least=2 * skip)
                    connection.send(0.0)
                    continue
                for _ in range(skip):
                    next(batches)
                connection.send(_pass(batches, seconds=seconds, at_least=1))
        except EOFError:
            return
        except DaliVocError as e:
            connection.send(e)


def _pass(batches: Iterator[int], *, seconds: float, at_least: int) -> float:
    """Consume batches for some time; pairs per second."""
    begin = time.perf_counter()
    pairs = count = 0
    elapsed = 0.0
    while elapsed < seconds or count < at_least:
        pairs += next(batches)
        count += 1
        elapsed = time.perf_counter() - begin
    return pairs / elapsed
