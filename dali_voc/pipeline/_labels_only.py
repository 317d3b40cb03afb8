"""Graph: whole labels, for counting."""

from __future__ import annotations

from nvidia.dali import Pipeline

from dali_voc._label_reading import LabelReading
from dali_voc.ops import decode_label
from dali_voc.pipeline._inputs import Source, empty_pipeline, read_one
from dali_voc.pipeline._label import meaning_of

__all__ = ["build_label_pipeline"]


def build_label_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    reading: LabelReading,
    batch_size: int,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that only reads whole labels, on the CPU.

    Args:
        source: as for `build_pipeline`; only the labels are used.
        columns: what the source gives.
        reading: how labels are read.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: class indices [height, width] of mixed sizes, of
        `reading.dtype`.
    """
    pipeline = empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        given, encoded = read_one(source, "label", columns=columns)
        meaning = meaning_of(given, reading)
        pipeline.set_outputs(decode_label(encoded, given["label"], crop_size=None, **meaning).label)
    pipeline.build()
    return pipeline
