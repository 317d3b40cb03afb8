"""Packed data sets: a split in a few large files, for fast reading."""

from __future__ import annotations

from dali_voc.packing._pack import DEFAULT_SHARD_SIZE, pack_split

__all__ = ["DEFAULT_SHARD_SIZE", "pack_split"]
