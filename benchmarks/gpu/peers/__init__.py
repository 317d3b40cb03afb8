"""Who is timed beside our loader: one file per peer, each our own code, all doing the same work.

The work: shuffled batches of pairs read from files; the same random window of picture and label,
half of them mirrored; small pictures padded (mean colour, 255); float32 images normalised by
ImageNet's mean and deviation and int64 class indices, both in GPU memory.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from dataclasses import dataclass
from functools import partial
from typing import Any

from benchmarks.gpu.contestants import SPLIT
from benchmarks.gpu.rounds import Contestant
from dali_voc.benchmarking import BatchCheck
from dali_voc.config import Config
from dali_voc.datasets.voc import VOC_SPEC

__all__ = ["PEERS", "Peer"]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One way to do it.

    Attributes:
        title: for people.
        module: file with the function `batches(config, split, **options)`.
        imports: modules that have to be installed beside this project's dependencies.
        is_dataloader: whether it is one of PyTorch's DataLoaders.
        options: passed on.
    """

    title: str
    module: str
    imports: tuple[str, ...] = ()
    is_dataloader: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    def missing(self) -> tuple[str, ...]:
        """Return which of the modules are not installed."""
        return tuple(name for name in self.imports if importlib.util.find_spec(name) is None)

    def contestant(self, config: Config) -> Contestant:
        """Return it as one that can be timed; imports what it needs."""
        batches = importlib.import_module(self.module).batches
        workers = len(os.sched_getaffinity(0))
        return Contestant(
            title=self.title,
            start=partial(batches, config, SPLIT, **dict(self.options)),
            check=BatchCheck.from_config(config, VOC_SPEC),
            # a DataLoader has two batches ahead per worker, the others fewer
            ahead=2 * workers + 8 if self.is_dataloader else 10,
            at_least=4 * workers if self.is_dataloader else 1,
        )


_HERE = "benchmarks.gpu.peers"

PEERS: dict[str, Peer] = {
    "dataloader_float": Peer(
        title="DataLoader, Pillow, RGB table, float32 copied to the GPU (the textbook)",
        module=f"{_HERE}.dataloader_float",
        is_dataloader=True,
    ),
    "dataloader_bytes": Peer(
        title="DataLoader, Pillow, palette index, bytes copied, normalised on the GPU",
        module=f"{_HERE}.dataloader_bytes",
        is_dataloader=True,
        options=(("decoder", "pillow"),),
    ),
    "dataloader_opencv": Peer(
        title="DataLoader, OpenCV and Pillow, bytes copied, normalised on the GPU",
        module=f"{_HERE}.dataloader_bytes",
        imports=("cv2",),
        is_dataloader=True,
        options=(("decoder", "opencv"),),
    ),
    "torchvision_cuda": Peer(
        title="torchvision's decode_jpeg on the GPU, labels by Pillow in threads",
        module=f"{_HERE}.torchvision_cuda",
        imports=("torchvision",),
    ),
    "dali_stock": Peer(
        title="DALI, stock operators, lookup_table, on the GPU",
        module="benchmarks.cpu.peers.dali_stock",
        options=(("threads", len(os.sched_getaffinity(0))),),
    ),
}
