"""PNG decoded on the GPU, the experiment: whether it wins over our CPU decoder and a copy."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu.sections._section import Note, SectionError
from benchmarks.gpu.settings import Settings
from benchmarks.gpu_png import measure

__all__ = ["run"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time both on photographs of Cityscapes' size and on labels of VOC's."""
    found = measure(
        torch.device(settings.device), rounds=settings.rounds, seconds=settings.seconds, note=note
    )
    if not found["same_pixels_everywhere"]:
        raise SectionError("PNG on the GPU gives other pixels than on the CPU")
    return found
