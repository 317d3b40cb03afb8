"""The bound: DALI decodes the same JPEGs on the GPU and does nothing else."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu.contestants import bound
from benchmarks.gpu.rounds import Contestant, median_rate, time_rounds
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import Settings

__all__ = ["HW_LOADS", "run"]

HW_LOADS = (0.0, 0.5, 0.65, 0.75, 0.85, 1.0)


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time the bound over batch sizes, then at its best over `hw_decoder_load`."""
    sizes = {str(n): bound(settings.config(batch_size=n)) for n in settings.batch_sizes}
    rows = time_rounds(sizes, rounds=settings.rounds, seconds=settings.seconds)
    found: dict[str, Any] = {"batch_size": rows}
    note(found)
    rates = {n: median_rate(rows[str(n)]) or 0.0 for n in settings.batch_sizes}
    best = max(rates, key=rates.__getitem__)
    found["best_batch_size"] = best
    if settings.dry_run:
        found["hw_decoder_load"] = {"left_out": "the CPU has no JPEG unit"}
    else:
        loads: dict[str, Contestant] = {"default": bound(settings.config(batch_size=best))}
        for load in HW_LOADS:
            loads[str(load)] = bound(settings.config(batch_size=best), hw_decoder_load=load)
        found["hw_decoder_load"] = time_rounds(
            loads, rounds=settings.rounds, seconds=settings.seconds
        )
    note(found)
    demand(found)
    return found
