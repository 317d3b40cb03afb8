"""Graph: images alone, to find out whether they are sound."""

from __future__ import annotations

import numpy as np
from nvidia.dali import Pipeline, fn, types

from dali_voc.labels import LabelTables
from dali_voc.ops import decode_crop, decode_label
from dali_voc.pipeline._inputs import Source, empty_pipeline, read_one

__all__ = ["build_image_pipeline"]

_STAND_IN = LabelTables(colors=(), color_classes=(), values=(0,), value_classes=(0,))


def build_image_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    label: bytes,
    decode: bool,
    batch_size: int,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that looks at images without their labels, on the CPU.

    Args:
        source: as for `build_pipeline`; only the images are used.
        columns: what the source gives.
        label: a sound label of one pixel of value 0, for an operator that judges both together.
        decode: decode the images, too; else only their headers and markers are looked at.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with outputs of no use: what counts is whether it runs.
    """
    pipeline = empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        given, encoded = read_one(source, "image", columns=columns)
        path = given["image"]
        shape = fn.peek_image_shape(encoded, adjust_orientation=False)
        stand_in = types.Constant(np.frombuffer(label, np.uint8))
        judged = decode_label(stand_in, path, encoded, tables=_STAND_IN, crop_size=None)
        outputs = [shape, judged.label]
        if decode:
            decoded = fn.decoders.image(encoded, adjust_orientation=False, output_type=types.RGB)
            outputs.append(
                decode_crop(
                    encoded,
                    path,
                    decoded,
                    start=[0, 0],
                    shape=fn.cast(shape[:2], dtype=types.INT32),
                    is_decoded=1 - judged.is_common,
                    strict=True,
                    about="its image",
                    crop_size=None,
                    mean=(0.0, 0.0, 0.0),
                    std=(1.0, 1.0, 1.0),
                    dtype="uint8",
                )
            )
        pipeline.set_outputs(*outputs)
    pipeline.build()
    return pipeline
