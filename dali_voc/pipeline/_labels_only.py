"""Graph: whole labels, for counting."""

from __future__ import annotations

from collections.abc import Sequence

from nvidia.dali import Pipeline

from dali_voc.config import LabelsConfig
from dali_voc.labels import LabelTables
from dali_voc.ops import decode_label
from dali_voc.pipeline._files import Source, empty_pipeline, read_one

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
        nodes = decode_label(
            encoded,
            label_path,
            tables=tables,
            crop_size=None,
            **meaning,
            palette=labels.palette,
            unknown="error" if labels.unknown == "error" else void,
            ignore_index=void,
            dtype="uint8" if void <= 255 else "int32",
        )
        pipeline.set_outputs(nodes.label)
    pipeline.build()
    return pipeline
