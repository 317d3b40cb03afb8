"""Graph: whole labels, for counting."""

from __future__ import annotations

from collections.abc import Sequence

from nvidia.dali import Pipeline

from dali_voc.config import LabelsConfig
from dali_voc.labels import LabelTables
from dali_voc.pipeline._files import Source, empty_pipeline, read_one
from dali_voc.pipeline._whole_label import decode_whole_label

__all__ = ["build_label_pipeline"]


def build_label_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    labels: LabelsConfig,
    tables: Sequence[LabelTables],
    void: int,
    batch_size: int,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that only reads whole labels, on the CPU.

    Args:
        source: as for `build_pipeline`; only the labels are used.
        columns: what the source gives.
        labels: `palette` and `unknown` are used.
        tables: what label values mean.
        void: index of what has no class, as in `tables`.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: class indices [height, width] of mixed sizes, uint8, or
        int32 where `void` does not fit.
    """
    pipeline = empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        label_path, encoded, meaning = read_one(source, "label", columns=columns)
        label = decode_whole_label(
            encoded, label_path, labels=labels, tables=tables, void=void, **meaning
        )
        pipeline.set_outputs(label)
    pipeline.build()
    return pipeline
