"""Times contestants in turn, round after round, all in one process: one CUDA context for all.

Whoever is not timed stands still: a pipeline has made its batches ahead and waits; child processes
(a DataLoader's workers) are stopped. Consuming a batch means that the current stream waits for it;
nothing is done with it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import statistics
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from dali_voc.benchmarking import BatchCheck, Item, count_pairs, group_cpu_seconds

__all__ = ["Contestant", "in_a_sentence", "median_rate", "synchronize", "time_rounds"]

_CHECKED = 4  # batches of the warm-up whose every value is checked


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """Somebody who yields batches without end.

    Attributes:
        title: for people.
        start: makes the generator.
        check: what its batches have to be.
        ahead: batches that it may have made before it is timed; they are let pass.
        at_least: batches of a measurement, however long they take: worker processes that began
            together deliver together, so that a few batches say nothing.
    """

    title: str
    start: Callable[[], Generator[Item, None, None]]
    check: BatchCheck | None = None
    ahead: int = 10
    at_least: int = 1


def time_rounds(
    contestants: Mapping[str, Contestant],
    *,
    rounds: int,
    seconds: float,
    note: Callable[[dict[str, dict[str, Any]]], None] = lambda _: None,
) -> dict[str, dict[str, Any]]:
    """Time each contestant `rounds` times, interleaved; whoever fails drops out.

    Args:
        contestants: by name.
        rounds: measurements of each.
        seconds: length of each.
        note: takes what there is after each round.

    Returns:
        By name: `title`, and `pairs_per_second` (median), `lowest`, `highest`, `rounds`, and
        `cpu_ms_per_pair` (median; of this process group), or `error`, a sentence.
    """
    errors: dict[str, str] = {}
    running: dict[str, _Running] = {}
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}

    def attempt(name: str, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as e:  # of any library: the others are measured all the same
            errors[name] = in_a_sentence(e)
            if name in running:
                with contextlib.suppress(Exception):
                    running.pop(name).close()

    def start(name: str) -> None:
        running[name] = _Running(contestants[name])
        running[name].warm_up(seconds=min(1.0, seconds))

    def measure(name: str) -> None:
        measured[name].append(running[name].measure(seconds=seconds))

    try:
        for name in contestants:
            attempt(name, lambda name=name: start(name))  # type: ignore[misc]
        for _ in range(rounds):
            for name in list(running):
                attempt(name, lambda name=name: measure(name))  # type: ignore[misc]
            note(_rows(contestants, measured, errors))
    finally:
        for name in list(running):
            with contextlib.suppress(Exception):
                running.pop(name).close()
    return _rows(contestants, measured, errors)


def _rows(
    contestants: Mapping[str, Contestant],
    measured: Mapping[str, list[tuple[float, float]]],
    errors: Mapping[str, str],
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {n: {"title": c.title} for n, c in contestants.items()}
    for name, pairs in measured.items():
        if name in errors:
            found[name]["error"] = errors[name]
        elif pairs:
            rates = [rate for rate, _ in pairs]
            found[name] |= {
                "pairs_per_second": statistics.median(rates),
                "lowest": min(rates),
                "highest": max(rates),
                "rounds": rates,
                "cpu_ms_per_pair": statistics.median(cpu for _, cpu in pairs),
            }
    return found


def median_rate(row: Mapping[str, Any] | None) -> float | None:
    """Return the rate of a row of `time_rounds`, or None for one that failed or is not there."""
    return row.get("pairs_per_second") if row else None


def in_a_sentence(error: BaseException) -> str:
    """Return an error's kind and the first line of its text."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def synchronize() -> None:
    """Wait for all the work of the GPU, if one is in use."""
    if torch.cuda.is_initialized():
        torch.cuda.synchronize()


class _Running:
    """A contestant that has been started."""

    def __init__(self, contestant: Contestant) -> None:
        self._contestant = contestant
        self._others = _child_processes()
        self._children: set[int] = set()
        self._batches = contestant.start()

    def warm_up(self, *, seconds: float) -> None:
        """Check batches, then consume some more."""
        check = self._contestant.check
        for _ in range(_CHECKED):
            item = next(self._batches)
            if check:
                check.values(item)
        del item
        self._consume(seconds=seconds, at_least=1)
        self._children = _child_processes() - self._others
        self._signal(signal.SIGSTOP)

    def measure(self, *, seconds: float) -> tuple[float, float]:
        """Return pairs per second, and CPU milliseconds per pair."""
        self._signal(signal.SIGCONT)
        for _ in range(self._contestant.ahead):
            next(self._batches)
        synchronize()
        cpu = group_cpu_seconds(os.getpgrp())
        pairs, elapsed = self._consume(seconds=seconds, at_least=self._contestant.at_least)
        cpu = group_cpu_seconds(os.getpgrp()) - cpu
        self._signal(signal.SIGSTOP)
        return pairs / elapsed, 1e3 * cpu / pairs

    def close(self) -> None:
        """End it."""
        self._signal(signal.SIGCONT)
        self._batches.close()
        synchronize()

    def _consume(self, *, seconds: float, at_least: int) -> tuple[int, float]:
        check = self._contestant.check
        batches = pairs = 0
        begin = time.perf_counter()
        while batches < at_least or time.perf_counter() - begin < seconds:
            item = next(self._batches)
            if check:
                check.form(item)
            batches += 1
            pairs += count_pairs(item)
        # what was made ahead at the beginning was as much as what has now been made ahead
        synchronize()
        return pairs, time.perf_counter() - begin

    def _signal(self, number: signal.Signals) -> None:
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


def _child_processes() -> set[int]:
    return {child.pid for child in multiprocessing.active_children() if child.pid is not None}
