"""Colours for classes that have none of their own."""

from __future__ import annotations

from dali_voc.labels import Color, voc_colormap

__all__ = ["distinct_colors"]


def distinct_colors(n: int) -> tuple[Color, ...]:
    """Return `n` colours: VOC's, and as many more as are needed."""
    colors = list(voc_colormap(min(n, 256)))
    colors += [(k >> 8 & 255, k & 255, 1) for k in range(n - len(colors))]
    return tuple(colors)
