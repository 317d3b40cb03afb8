"""Graph: images as they are stored, and whole labels as class indices."""

from __future__ import annotations

from collections.abc import Sequence

from nvidia.dali import Pipeline, fn

from dali_voc.config import LabelsConfig
from dali_voc.labels import LabelTables
from dali_voc.ops import read_record
from dali_voc.pipeline._files import Source, empty_pipeline
from dali_voc.pipeline._whole_label import decode_whole_label

__all__ = ["build_packing_pipeline"]


def build_packing_pipeline(
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
    """Build the pipeline that reads pairs to be packed, on the CPU.

    Args:
        source: as for `build_pipeline`, without parameters.
        columns: what the source gives.
        labels: `palette` and `unknown` are used.
        tables: what label values mean.
        void: value of what has no class, as in `tables`.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with two outputs: the images' bytes, uint8, and class indices, uint8, or
        int32 where `void` does not fit, [height, width] of mixed sizes. A label that has not its
        image's size is an error, and so is what makes an image a bad file in a loader, as far as it
        shows without decoding it.
    """
    pipeline = empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        nodes = fn.external_source(source=source, num_outputs=len(columns))
        given = dict(zip(columns, nodes, strict=True))
        image = read_record(given["image"], record=given.get("image_record"), about="its image")
        map_number = given.get("map", 0)
        label = decode_whole_label(
            read_record(given["label"], record=given.get("label_record"), map=map_number),
            given["label"],
            image,
            labels=labels,
            tables=tables,
            void=void,
            map=map_number,
            segments=given.get("segments"),
            image_shape=fn.peek_image_shape(image, adjust_orientation=False),
        )
        pipeline.set_outputs(image, label)
    pipeline.build()
    return pipeline
