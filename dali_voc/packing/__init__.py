"""Packed data sets: a split in a few large files, for fast reading."""

from __future__ import annotations

from dali_voc.packing._pack import DEFAULT_SHARD_SIZE, pack_split
from dali_voc.packing._restarts import add_jpeg_restarts

__all__ = ["DEFAULT_SHARD_SIZE", "add_jpeg_restarts", "pack_split"]
