"""Graph: images as they are stored, and whole labels as class indices."""

from __future__ import annotations

from nvidia.dali import Pipeline, fn

from dali_voc._label_reading import LabelReading
from dali_voc.ops import decode_label, read_record
from dali_voc.pipeline._inputs import Source, empty_pipeline
from dali_voc.pipeline._label import meaning_of, read_label

__all__ = ["build_packing_pipeline"]


def build_packing_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    reading: LabelReading,
    batch_size: int,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that reads pairs to be packed, on the CPU.

    Args:
        source: as for `build_pipeline`, without parameters.
        columns: what the source gives.
        reading: how labels are read.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with two outputs: the images' bytes, uint8, and class indices of
        `reading.dtype`, [height, width] of mixed sizes. A label that has not its
        image's size is an error, and so is what makes an image a bad file in a loader, as far as it
        shows without decoding it.
    """
    pipeline = empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        nodes = fn.external_source(source=source, num_outputs=len(columns))
        given = dict(zip(columns, nodes, strict=True))
        image = read_record(given["image"], record=given.get("image_record"), about="its image")
        decoded = decode_label(
            read_label(given),
            given["label"],
            image,
            crop_size=None,
            image_shape=fn.peek_image_shape(image, adjust_orientation=False),
            **meaning_of(given, reading),
        )
        pipeline.set_outputs(image, decoded.label)
    pipeline.build()
    return pipeline
