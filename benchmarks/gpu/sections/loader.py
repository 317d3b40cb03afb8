"""Our loader beside its bound, batch size by batch size: float32, float16, and the fused tail."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu.contestants import bound, loader
from benchmarks.gpu.rounds import Contestant, median_rate, time_rounds
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import TAILS, Settings
from dali_voc._devices import pick_hw_decoder_load

__all__ = ["run"]

_DTYPES = ("float32", "float16")


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time both in turn, and give our share of the bound."""
    # what our loader, too, leaves to the JPEG engines: more than DALI would
    load = pick_hw_decoder_load(None, device=torch.device(settings.device))
    found: dict[str, Any] = {"hw_decoder_load": load, "batch_size": {}}
    for size in settings.batch_sizes:
        contestants: dict[str, Contestant] = {
            "bound": bound(settings.config(batch_size=size), hw_decoder_load=load)
        }
        for dtype in _DTYPES:
            for tail in TAILS:
                config = settings.config(
                    batch_size=size, normalize={"dtype": dtype}, loader={"gpu_tail": tail}
                )
                name = f"{dtype} {tail}"
                contestants[name] = loader(config, title=f"dali_voc, {name}")
        rows = time_rounds(contestants, rounds=settings.rounds, seconds=settings.seconds)
        limit = median_rate(rows["bound"])
        for row in rows.values():
            rate = median_rate(row)
            row["of_bound"] = rate / limit if rate and limit else None
        found["batch_size"][str(size)] = rows
        note(found)
    demand(found)
    return found
