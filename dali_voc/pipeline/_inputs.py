"""Graph: what every pipeline begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nvidia.dali import Pipeline, fn

from dali_voc.ops import read_record
from dali_voc.pipeline._forks import keep_in_children
from dali_voc.pipeline._memory import keep_buffers

__all__ = ["Source", "empty_pipeline", "read_one"]

# What the graph asks for once per batch: what `dali_voc.datasets.PairIndex.arrays` gives, its
# `columns`; for a cache, or several crops of a sample, the samples' numbers (int64 [n]); and the
# arrays of dali_voc.augment.draw_parameters.
Source = Callable[[], tuple[Any, ...]]


def empty_pipeline(batch_size: int, device_id: int | None, threads: int, prefetch: int) -> Pipeline:
    """Return a pipeline to define a graph in."""
    keep_buffers()
    pipeline = Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )
    keep_in_children(pipeline)
    return pipeline


def read_one(
    source: Source, what: Literal["image", "label"], *, columns: tuple[str, ...]
) -> tuple[dict[str, Any], Any]:
    """Return what the source gives of the images or of the labels alone, by name, and bytes."""
    wanted = (what, f"{what}_record", *(("map", "segments") if what == "label" else ()))
    places = {name: columns.index(name) for name in wanted if name in columns}

    def some() -> list[Any]:
        given = source()
        return [given[i] for i in places.values()]

    nodes = fn.external_source(source=some, num_outputs=len(places))
    given = dict(zip(places, nodes, strict=True))
    return given, read_record(given[what], record=given.get(f"{what}_record"))
