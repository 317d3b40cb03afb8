"""Graph: what every pipeline begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nvidia.dali import Pipeline

__all__ = ["Source", "empty_pipeline"]

# What the graph asks for once per batch: image paths and label paths (each a list of 1D uint8), and
# the arrays of dali_voc.augment.draw_parameters.
Source = Callable[[], tuple[Any, ...]]


def empty_pipeline(batch_size: int, device_id: int | None, threads: int, prefetch: int) -> Pipeline:
    """Return a pipeline to define a graph in."""
    return Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )
