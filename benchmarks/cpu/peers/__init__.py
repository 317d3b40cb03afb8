"""Who is timed: one file per peer, each our own code, all doing the same work.

The work: shuffled batches of pairs read from files; the same random window of picture and label,
half of them mirrored; small pictures padded (mean colour, 255); float32 images normalised by
ImageNet's mean and deviation; int64 class indices.
"""

from __future__ import annotations

import ctypes.util
import importlib
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from benchmarks.versions import version_of
from dali_voc.benchmarking import CONTENDERS, Contender, Item
from dali_voc.config import Config

__all__ = ["PEERS", "Peer"]


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One row of the table: a contender that imports what it needs when it is called.

    Attributes:
        title: for people.
        module: file in this folder with the function `batches(config, split, **options)`, or
            a key of `CONTENDERS`.
        packages: what has to be installed beside this project's dependencies.
        libraries: shared libraries that no package brings along.
        same_work: whether it does all of the work; the others are there for comparison.
        options: passed on.
    """

    title: str
    module: str
    packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    same_work: bool = True
    options: tuple[tuple[str, Any], ...] = ()

    def __call__(self, config: Config, split: str) -> Generator[Item, None, None]:
        """Yield batches without end."""
        if self.module in CONTENDERS:
            return CONTENDERS[self.module](config, split)
        batches: Contender = importlib.import_module(f"{__name__}.{self.module}").batches
        return batches(config, split, **dict(self.options))

    def missing(self) -> tuple[str, ...]:
        """Return which of the packages and libraries are not installed."""
        packages = [name for name in self.packages if version_of(name) is None]
        libraries = [f"lib{n}" for n in self.libraries if ctypes.util.find_library(n) is None]
        return (*packages, *libraries)

    def versions(self) -> dict[str, str | None]:
        """Return the packages' versions; None for those that are not installed."""
        return {name: version_of(name) for name in self.packages}


_FAST = ("simplejpeg", "deflate", "opencv-python-headless")

PEERS: dict[str, Peer] = {
    "loader": Peer(title="dali_voc", module="loader"),
    "loader_encoded": Peer(
        title="dali_voc, cache: encoded", module="loader_cached", options=(("keep", "encoded"),)
    ),
    "loader_decoded": Peer(
        title="dali_voc, cache: decoded", module="loader_cached", options=(("keep", "decoded"),)
    ),
    "bound": Peer(title="DALI decodes the JPEGs, nothing else", module="bound", same_work=False),
    "jpeg_only": Peer(
        title="simplejpeg decodes the JPEGs, 2 processes, nothing else",
        module="jpeg_only",
        packages=("simplejpeg",),
        same_work=False,
    ),
    "dataloader_tuned": Peer(
        title="DataLoader, simplejpeg, libdeflate, reused shared buffers",
        module="dataloader_tuned",
        packages=_FAST,
    ),
    "spdl_tuned": Peer(
        title="SPDL threads, simplejpeg, libdeflate, reused buffers",
        module="spdl_tuned",
        packages=("spdl-core", *_FAST),
    ),
    "spdl": Peer(
        title="SPDL, its own decoders",
        module="spdl_own",
        packages=("spdl-core", "spdl-io"),
        libraries=("avutil", "avcodec", "avformat", "avfilter", "avdevice", "swscale"),
    ),
    "grain": Peer(
        title="Grain, threads, OpenCV",
        module="grain_opencv",
        packages=("grain", "opencv-python-headless"),
    ),
    "dataloader_fresh": Peer(
        title="DataLoader, simplejpeg, libdeflate, fresh memory per batch",
        module="dataloader_fresh",
        packages=_FAST,
    ),
    "opencv": Peer(
        title="DataLoader, OpenCV",
        module="dataloader_opencv",
        packages=("opencv-python-headless",),
    ),
    "torchvision": Peer(
        title="DataLoader, torchvision v2",
        module="dataloader_torchvision",
        packages=("torchvision",),
    ),
    "albumentations": Peer(
        title="DataLoader, albumentations",
        module="dataloader_albumentations",
        packages=("albumentations", "opencv-python-headless"),
    ),
    "pillow_palette": Peer(title="DataLoader, Pillow, palette index", module="dataloader_pillow"),
    "dali_stock_2": Peer(
        title="DALI, stock operators, lookup_table, 2 threads",
        module="dali_stock",
        options=(("threads", 2),),
    ),
    "dali_stock_3": Peer(
        title="DALI, stock operators, lookup_table, 3 threads",
        module="dali_stock",
        options=(("threads", 3),),
    ),
    "textbook": Peer(title="DataLoader, Pillow, RGB table (the textbook)", module="reference"),
    "memory_dataset": Peer(
        title="the textbook's VOCSegDataset: all in memory, DataLoader",
        module="memory_dataset",
        same_work=False,
    ),
    "copy_bytes": Peer(
        title="a batch's bytes copied into fresh tensors, 2 threads",
        module="copy_bytes",
        same_work=False,
    ),
    "copy_bytes_reused": Peer(
        title="a batch's bytes copied into the same tensors again, 2 threads",
        module="copy_bytes",
        same_work=False,
        options=(("fresh", False),),
    ),
}
