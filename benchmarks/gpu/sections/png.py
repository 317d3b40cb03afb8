"""PNG decoded on the GPU, the experiment: whether it wins over our CPU decoder and a copy."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu.sections._section import Note, SectionError, demand
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.worker import Worker
from benchmarks.gpu_png import DRY_SIZES, SIZES, measure

__all__ = ["run"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time both on photographs of Cityscapes' size and on labels of VOC's."""
    found: dict[str, Any] = {}
    same, wins = True, {}
    with Worker() as worker:
        for kind, sizes in SIZES.items():
            batches = found.setdefault(kind, {"batches": {}})["batches"]
            for size in sizes if not settings.dry_run else DRY_SIZES:
                # one at a time: a fault, or the end of the time, takes no other with it
                part = worker.run(
                    measure,
                    torch.device(settings.device),
                    kinds=(kind,),
                    sizes=(size,),
                    rounds=settings.rounds,
                    seconds=settings.seconds,
                )
                if "error" in part:
                    batches[str(size)] = part
                    note(found)
                    continue
                same &= part.pop("same_pixels_everywhere")
                won = part.pop("wins")
                if won:  # there are none without a GPU
                    wins[kind] = wins.get(kind, True) and won[kind]
                about = part.pop(kind)
                batches |= about.pop("batches")
                found[kind] |= about
                found |= part
                note(found)
    for kind in SIZES:
        demand(found[kind]["batches"])
    found |= {"same_pixels_everywhere": same, "wins": wins}
    if not same:
        note(found)
        raise SectionError("PNG on the GPU gives other pixels than on the CPU")
    return found
