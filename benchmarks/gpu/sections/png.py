"""PNG decoded on the GPU, the experiment: whether it wins over our CPU decoder and a copy."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu.sections._section import Note, SectionError, demand
from benchmarks.gpu.settings import Settings
from benchmarks.gpu.worker import Worker
from benchmarks.gpu_png import KINDS, measure

__all__ = ["run"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time both on photographs of Cityscapes' size and on labels of VOC's."""
    found: dict[str, Any] = {}
    same, wins = True, {}
    with Worker() as worker:
        for kind in KINDS:
            part = worker.run(
                measure,
                torch.device(settings.device),
                kinds=(kind,),
                rounds=settings.rounds,
                seconds=settings.seconds,
            )
            if "error" in part:
                part = {kind: part}
            same &= part.pop("same_pixels_everywhere", True)
            wins |= part.pop("wins", {})
            found |= part
            note(found)
    demand(found)
    found |= {"same_pixels_everywhere": same, "wins": wins}
    if not same:
        note(found)
        raise SectionError("PNG on the GPU gives other pixels than on the CPU")
    return found
