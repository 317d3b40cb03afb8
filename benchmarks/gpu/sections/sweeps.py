"""One key of the loader after the other, each alone; the best of one is kept for the next."""

from __future__ import annotations

import os
from typing import Any

from benchmarks.gpu.contestants import loader
from benchmarks.gpu.rounds import median_rate, time_rounds
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.sections.bound import HW_LOADS
from benchmarks.gpu.settings import Settings

__all__ = ["run", "thread_counts"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time each value of each key, and name the best."""
    cores = len(os.sched_getaffinity(0))
    values: dict[str, tuple[Any, ...]] = {
        "hw_decoder_load": (None, *HW_LOADS),
        "threads": thread_counts(cores),
        "prefetch": (1, 2, 4, 8),
    }
    found: dict[str, Any] = {"batch_size": settings.batch_size, "best": {}}
    best: dict[str, Any] = found["best"]
    for key, candidates in values.items():
        contestants = {
            "default" if value is None else str(value): loader(
                settings.config(loader={**best, key: value}), title=f"{key}: {value}"
            )
            for value in candidates
        }
        rows = time_rounds(contestants, rounds=settings.rounds, seconds=settings.seconds)
        rates = [median_rate(row) or 0.0 for row in rows.values()]
        best[key] = candidates[rates.index(max(rates))]
        found[key] = rows
        note(found)
    demand(found)
    return found


def thread_counts(cores: int) -> tuple[int, ...]:
    """Return numbers of threads from a quarter of the cores to half as many again."""
    return tuple(sorted({max(1, cores * eighths // 8) for eighths in (2, 4, 6, 8, 12)}))
