"""`keep_window`: whole pictures stay in memory, windows of them go on."""

from __future__ import annotations

from typing import Any

from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._call import call

__all__ = ["keep_window"]


def keep_window(
    pictures: Any, *, cache: CacheNodes, memory: int, is_kept: Any, start: Any, shape: Any
) -> Any:
    """Keep whole decoded pictures, as long as there is room, and return windows of them.

    On a GPU all is done in the order of the stream, by a copy for each picture that is new and one
    kernel for the windows.

    Args:
        pictures: uint8 RGB [height, width, 3], whole; anything where `is_kept`.
        cache: says what is kept; its own memory is not touched.
        memory: address, on the device of `pictures`, of as much memory as the cache has; it stays
            the caller's.
        is_kept: 1 where the picture has been kept before, as `read_record` tells.
        start: first row and column of the window, int32 [2] per sample.
        shape: its height and width, likewise.

    Returns:
        uint8 [window height, window width, 3].

    Raises:
        RuntimeError: from the pipeline, where the picture is not kept after all, or the window
            reaches past it.
    """
    return call(
        "keep_window",
        pictures,
        memory=memory,
        is_kept=is_kept,
        start=start,
        shape=shape,
        **cache.arguments(),
    )
