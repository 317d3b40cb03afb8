"""Times contenders in turn, round after round, each in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

import torch

from dali_voc.benchmarking._checks import BatchCheck, count_pairs
from dali_voc.benchmarking._contenders import CONTENDERS, Contender, Item
from dali_voc.benchmarking._usage import group_cpu_seconds, group_pss_bytes
from dali_voc.config import Config
from dali_voc.errors import DaliVocError, LoaderError

__all__ = ["Timing", "run_rounds"]

# batches that pass before a measurement: no contender makes more ahead
_SKIP = 10


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What one contender reached.

    Attributes:
        rates: pairs per second, one per round.
        cpu_ms: CPU milliseconds per pair, user and system, of its process and that one's children,
            one per round.
        memory_mib: the largest memory seen of these processes, MiB; shared pages are divided among
            those that share them (PSS).
    """

    rates: tuple[float, ...]
    cpu_ms: tuple[float, ...]
    memory_mib: float

    @property
    def median(self) -> float:
        """The median of the rounds' rates."""
        return statistics.median(self.rates)


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What a contender's process is to do next.

    Attributes:
        seconds: how long to consume batches.
        at_least: how many at least.
        thorough: check every value instead of measuring.
    """

    seconds: float = 0.0
    at_least: int = 1
    thorough: bool = False


@dataclass(frozen=True, kw_only=True)
class _Measured:
    pairs: int
    seconds: float
    cpu_seconds: float


def run_rounds(
    config: Config,
    *,
    split: str,
    names: tuple[str, ...],
    rounds: int,
    seconds: float,
    contenders: Mapping[str, Contender] = CONTENDERS,
    check: BatchCheck | None = None,
    warm_up: int = 2 * _SKIP,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Timing]:
    """Time each contender `rounds` times, interleaved, so that a slow spell hits all alike.

    Every contender is warmed up for two seconds or more, and lets some batches pass at the
    beginning of each round, so that what it had made ahead does not count.

    Args:
        config: the configuration that all follow.
        split: the split that all read.
        names: keys of `contenders`.
        rounds: number of rounds.
        seconds: length of each measurement.
        contenders: who they are; picklable.
        check: what batches have to be: all values in the warm-up, the form in what is timed.
        warm_up: batches of the warm-up, at least.
        progress: called with a contender's name after each measurement.

    Raises:
        DaliVocError: a contender failed, or gave a batch that it should not.
    """
    workers: dict[str, _Worker] = {}
    found: dict[str, list[_Measured]] = {name: [] for name in names}
    try:
        for name in names:
            workers[name] = _Worker(name, contenders[name], config, split, check)
            workers[name].run(_Order(at_least=warm_up, thorough=True))
            workers[name].run(_Order(seconds=2.0))
        for _ in range(rounds):
            for name in names:
                found[name].append(workers[name].run(_Order(seconds=seconds)))
                progress(name)
        return {name: _summary(found[name], workers[name].peak_bytes) for name in names}
    finally:
        for worker in workers.values():
            worker.stop()


def _summary(found: list[_Measured], peak_bytes: int) -> Timing:
    return Timing(
        rates=tuple(one.pairs / one.seconds for one in found),
        cpu_ms=tuple(1e3 * one.cpu_seconds / one.pairs for one in found),
        memory_mib=peak_bytes / 2**20,
    )


class _Worker:
    """A contender in a process group of its own, which is frozen while it is not measured.

    Frozen, because a DataLoader's workers would otherwise fill their queues in others' time.
    """

    def __init__(
        self, name: str, contender: Contender, config: Config, split: str, check: BatchCheck | None
    ) -> None:
        self._name = name
        self.peak_bytes = 0
        # fork would copy the threads' locks of libraries already in use
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        # not daemonic: PyTorch's DataLoader has children of its own
        self._process = context.Process(
            target=_serve, args=(theirs, contender, config, split, check)
        )
        resource_tracker.ensure_running()  # which takes interrupts again once it runs
        # Ctrl-C is the parent's, which ends this; the mask is inherited
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()

    def run(self, order: _Order) -> _Measured:
        """Let the contender run, and freeze it again."""
        self._signal(signal.SIGCONT)
        try:
            self._connection.send(order)
            # looking at memory takes time, so not while it is measured
            while order.thorough and not self._connection.poll(0.1):
                self._look_at_memory()
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise LoaderError(f"the process that times '{self._name}' died") from None
        if isinstance(answer, LoaderError):
            raise LoaderError(f"'{self._name}': {answer}")
        if isinstance(answer, DaliVocError):
            raise answer
        self._signal(signal.SIGSTOP)
        self._look_at_memory()
        measured: _Measured = answer
        return measured

    def stop(self) -> None:
        """End the process and its children."""
        self._connection.close()
        self._signal(signal.SIGCONT)
        self._process.join(20)
        self._signal(signal.SIGKILL)
        self._process.kill()
        self._process.join()

    def _look_at_memory(self) -> None:
        if self._process.pid is not None:
            self.peak_bytes = max(self.peak_bytes, group_pss_bytes(self._process.pid))

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid
        # until the process has made its group, it is still in ours
        with contextlib.suppress(ProcessLookupError):
            if pid is not None and os.getpgid(pid) == pid:
                os.killpg(pid, number)


def _serve(
    connection: Connection,
    contender: Contender,
    config: Config,
    split: str,
    check: BatchCheck | None,
) -> None:
    """Do what is ordered until the pipe is closed."""
    os.setpgid(0, 0)
    try:
        with contextlib.closing(contender(config, split)) as batches:
            while True:
                order = connection.recv()
                if order.thorough:
                    _check_batches(batches, check, order.at_least)
                    connection.send(_Measured(pairs=0, seconds=0.0, cpu_seconds=0.0))
                else:
                    for _ in range(_SKIP):
                        next(batches)
                    connection.send(_measure(batches, check, order))
    except (EOFError, BrokenPipeError):
        return
    except DaliVocError as e:
        connection.send(e)


def _check_batches(batches: Iterator[Item], check: BatchCheck | None, count: int) -> None:
    for item in itertools.islice(batches, count):
        if check:
            check.values(item)


def _measure(batches: Iterator[Item], check: BatchCheck | None, order: _Order) -> _Measured:
    _finish_gpu_work()
    cpu = group_cpu_seconds(os.getpgrp())
    begin = time.perf_counter()
    pairs = count = 0
    elapsed = 0.0
    while elapsed < order.seconds or count < order.at_least:
        item = next(batches)
        if check:
            check.form(item)
        pairs += count_pairs(item)
        count += 1
        elapsed = time.perf_counter() - begin
    _finish_gpu_work()
    elapsed = time.perf_counter() - begin
    cpu = group_cpu_seconds(os.getpgrp()) - cpu
    return _Measured(pairs=pairs, seconds=elapsed, cpu_seconds=cpu)


def _finish_gpu_work() -> None:
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
