"""Graph: what every pipeline begins with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nvidia.dali import Pipeline, fn

from dali_voc.ops import read_record

__all__ = ["Source", "empty_pipeline", "read_one", "source_names"]

# What the graph asks for once per batch: image paths and label paths (each uint8 [n, longest],
# zeros behind shorter ones); for files that lie inside others, where in them image and label are
# (each int64 [n, 4], see dali_voc.ops.read_record); for a cache, the samples' numbers (int64 [n]);
# and the arrays of dali_voc.augment.draw_parameters.
Source = Callable[[], tuple[Any, ...]]


def empty_pipeline(batch_size: int, device_id: int | None, threads: int, prefetch: int) -> Pipeline:
    """Return a pipeline to define a graph in."""
    return Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )


def source_names(*, in_shards: bool, cached: bool = False) -> tuple[str, ...]:
    """Return what the source gives before the parameters, in order."""
    records = ("image_record", "label_record") if in_shards else ()
    return ("image", "label", *records, *(("sample",) if cached else ()))


def read_one(
    source: Source, what: Literal["image", "label"], *, in_shards: bool
) -> tuple[Any, Any]:
    """Return paths and bytes of the images or of the labels alone, two nodes."""
    names = source_names(in_shards=in_shards)
    places = [i for i, name in enumerate(names) if name.startswith(what)]

    def some() -> list[Any]:
        given = source()
        return [given[i] for i in places]

    path, *record = fn.external_source(source=some, num_outputs=len(places))
    return path, read_record(path, record=record[0] if record else None)
