"""`cache.keep: decoded`: the epochs after the first decode nothing."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.gpu.contestants import SPLIT, batches_ahead
from benchmarks.gpu.rounds import Contestant, time_rounds
from benchmarks.gpu.sections._section import Note, SectionError, demand
from benchmarks.gpu.settings import Settings
from benchmarks.scaling.pictures import write_many_names
from dali_voc import build_loader
from dali_voc.benchmarking import BatchCheck, Item
from dali_voc.config import Config
from dali_voc.datasets.voc import VOC_SPEC

__all__ = ["run"]

# As it comes; and with fewer and more batches in the works: where nothing is decoded, it is waiting
# for one another that takes the time.
_LOADERS: dict[str, dict[str, Any]] = {
    "loader": {},
    "loader, prefetch 2": {"prefetch": 2},
    "loader, prefetch 8": {"prefetch": 8},
}


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time batches of a data set of VOC's length once it is kept."""
    found: dict[str, Any] = {"pairs": settings.cached_pairs, "batch_size": {}}
    with tempfile.TemporaryDirectory() as folder:
        root = write_many_names(
            Path(folder) / "voc", source=Path(settings.root), count=settings.cached_pairs
        )
        for size in settings.batch_sizes:
            contestants = {}
            for name, options in _LOADERS.items():
                config = settings.config(
                    batch_size=size, root=str(root), cache={"keep": "decoded"}, loader=options
                )
                contestants[name] = Contestant(
                    title=f"dali_voc, cache: decoded ({name})",
                    start=partial(_after_the_first_epoch, config, settings.cached_pairs),
                    check=BatchCheck.from_config(config, VOC_SPEC),
                    ahead=batches_ahead(config),
                )
            rows = time_rounds(contestants, rounds=settings.rounds, seconds=settings.seconds)
            found["batch_size"][str(size)] = rows
            note(found)
    demand(found)
    return found


def _after_the_first_epoch(config: Config, expected: int) -> Generator[Item, None, None]:
    with contextlib.closing(build_loader(config, split=SPLIT, training=True)) as loader:
        seen = sum(len(images) for images, _ in loader)
        if seen != expected:
            raise SectionError(f"the first epoch had {seen} pairs, expected {expected}")
        while True:
            yield from ((images, labels) for images, labels in loader)
