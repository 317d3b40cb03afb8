"""How operators are told of the memory in which samples are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["CacheNodes"]


@dataclass(frozen=True, kw_only=True)
class CacheNodes:
    """The cache, for a batch: a part of the loader.

    What is kept is what one set of label tables made of the files: other tables need another one.

    Attributes:
        handle: file descriptor of shared memory that was all zeros when it was made; operators map
            it when they are made, and do not close it.
        num_samples: how many samples it has places for.
        keep: the bytes of files, or pictures and class indices.
        sample: numbers of the batch's samples, int64: a DALI node.
    """

    handle: int
    num_samples: int
    keep: Literal["encoded", "decoded"]
    sample: Any

    def __post_init__(self) -> None:
        if self.keep not in ("encoded", "decoded"):
            raise ValueError(f"keep: found {self.keep!r}, expected 'encoded' or 'decoded'")

    @staticmethod
    def decoded_arguments(cache: CacheNodes | None) -> dict[str, Any]:
        """Return what operators take that decode."""
        return cache.arguments() if cache and cache.keep == "decoded" else {}

    def arguments(self) -> dict[str, Any]:
        """Return what every operator takes that knows the cache."""
        return {"cache": self.handle, "cache_samples": self.num_samples, "sample": self.sample}
