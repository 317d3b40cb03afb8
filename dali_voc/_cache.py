"""The cache of a loader: what is kept of its samples, and in which memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
from typing import Literal

import torch

from dali_voc._shared_memory import SharedMemory
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.datasets._file_state import state_of_files
from dali_voc.errors import LoaderError

__all__ = ["Cache"]

# as in sample_cache.h: a header, and two slots per sample that begin with their state
_HEADER, _SLOT = 64, 32
_REFUSED = struct.pack("=I", 3)


class Cache:
    """Memory in which the operators keep samples; see `config.CacheConfig`.

    Where the graph is a GPU's, decoded pictures are kept in the device's memory. What is there is
    then known from memory of the same layout, whose data part is never touched.

    Attributes:
        keep: what is kept.
        num_samples: of how many samples.
        pictures: on a GPU, where decoded pictures are kept.
    """

    def __init__(
        self,
        config: Config,
        index: PairIndex,
        *,
        keep: Literal["encoded", "decoded"],
        device: torch.device | None = None,
    ) -> None:
        self.keep = keep
        self.num_samples = len(index)
        size = int(config.cache.memory * 2**30)
        whole = _HEADER + 2 * _SLOT * len(index) + size
        self._memory = SharedMemory(_name(config, index, keep), size=whole)
        self.pictures: PictureMemory | None = None
        if keep == "decoded" and device is not None:
            self.pictures = PictureMemory(size, known=whole, device=device)

    @classmethod
    def from_config(
        cls, config: Config, index: PairIndex, *, gpu: torch.device | None
    ) -> Cache | None:
        """Return the cache that is asked for, if any; `gpu` is where the graph of a GPU runs."""
        keep = config.cache.keep
        return None if keep == "none" else cls(config, index, keep=keep, device=gpu)

    @property
    def handle(self) -> int:
        """Return the memory's file descriptor; -1 once it is closed."""
        return self._memory.handle

    def refuse(self, sample: int) -> None:
        """Read a sample from its files from now on."""
        if self.handle < 0:  # it has been closed
            return
        handles = [self.handle, *([self.pictures.handle] if self.pictures else [])]
        for handle in handles:
            for place in 2 * sample, 2 * sample + 1:
                os.pwrite(handle, _REFUSED, _HEADER + _SLOT * place)

    def close(self) -> None:
        """Give the memory back, if no other rank has it."""
        self._memory.close()
        self.pictures = None  # pipelines that still run hold it


class PictureMemory:
    """Memory of a device for decoded pictures; of this process alone, as long as it is referred to.

    Attributes:
        handle: of the memory that says what is kept.
        address: of the memory on the device.
    """

    def __init__(self, size: int, *, known: int, device: torch.device) -> None:
        self._pictures = torch.empty(0)
        try:
            self._pictures = torch.empty(size, dtype=torch.uint8, device=device)
        except RuntimeError as e:  # torch.OutOfMemoryError is one
            raise LoaderError(
                f"cache.memory: {device} does not have {size / 2**30:.1f} GiB: "
                f"{str(e).partition('. ')[0]}"
            ) from None
        if device.type == "cuda":
            # it may be memory that work on PyTorch's stream still uses; DALI has streams of its own
            torch.cuda.current_stream(device).synchronize()
        self._known = SharedMemory(None, size=known)
        self.handle = self._known.handle
        self.address = self._pictures.data_ptr()

    def __del__(self) -> None:
        # the pipelines that used it are gone; what they left to the device ends first
        if self._pictures.is_cuda:
            with contextlib.suppress(RuntimeError):
                torch.cuda.synchronize(self._pictures.device)


def _name(config: Config, index: PairIndex, keep: str) -> str:
    """Return what must be the same for two loaders to keep the same things."""
    facts = [
        keep,
        os.path.realpath(config.dataset.path),
        config.dataset.name,
        index.files_digest(config.dataset.path),
        state_of_files(index),
        index.meaning(),
        config.labels.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
