"""The cache of a loader: what is kept of its samples, and in which memory."""

from __future__ import annotations

import hashlib
import json
import os
import struct
from dataclasses import asdict
from typing import Literal

from dali_voc._shared_memory import SharedMemory
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["Cache"]

# as in sample_cache.h: a header, and two slots per sample that begin with their state
_HEADER, _SLOT = 64, 32
_REFUSED = struct.pack("=I", 3)


class Cache:
    """Memory in which the operators keep samples; see `config.CacheConfig`.

    Attributes:
        handle: its file descriptor.
        keep: what is kept.
        num_samples: of how many samples.
    """

    def __init__(
        self, config: Config, index: PairIndex, *, keep: Literal["encoded", "decoded"]
    ) -> None:
        self.keep = keep
        self.num_samples = len(index)
        size = int(config.cache.memory * 2**30)
        self._memory = SharedMemory(
            _name(config, index, keep), size=_HEADER + 2 * _SLOT * len(index) + size
        )
        self.handle = self._memory.handle

    @classmethod
    def from_config(cls, config: Config, index: PairIndex, *, on_gpu: bool) -> Cache | None:
        """Return the cache that is asked for, if any; a GPU decodes anew what is kept encoded."""
        keep = config.cache.keep
        if keep == "none":
            return None
        return cls(config, index, keep="encoded" if on_gpu else keep)

    def refuse(self, sample: int) -> None:
        """Read a sample from its files from now on."""
        for place in 2 * sample, 2 * sample + 1:
            os.pwrite(self.handle, _REFUSED, _HEADER + _SLOT * place)

    def close(self) -> None:
        """Give the memory back, if no other rank has it."""
        self._memory.close()


def _name(config: Config, index: PairIndex, keep: str) -> str:
    """Return what must be the same for two loaders to keep the same things."""
    facts = [
        keep,
        os.path.realpath(config.dataset.path),
        config.dataset.name,
        index.digest(),
        asdict(index.spec),
        config.labels.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
