"""Graph: the bound that the loader is measured by."""

from __future__ import annotations

from nvidia.dali import Pipeline, fn

from dali_voc.ops import read_record
from dali_voc.pipeline._files import Source, empty_pipeline

__all__ = ["build_decode_only_pipeline"]


def build_decode_only_pipeline(
    source: Source, *, batch_size: int, device_id: int | None, threads: int, prefetch: int
) -> Pipeline:
    """Build the pipeline that only decodes whole images: the bound of what DALI allows.

    Args:
        source: as for `build_pipeline`; only the image paths are used.
        batch_size: of the largest batch.
        device_id: the GPU's number; None to decode on the CPU.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: uint8 pictures [height, width, 3] of mixed sizes.
    """
    pipeline = empty_pipeline(batch_size, device_id, threads, prefetch)
    with pipeline:
        image_path = fn.external_source(source=lambda: source()[0])
        device = "cpu" if device_id is None else "mixed"
        pipeline.set_outputs(fn.decoders.image(read_record(image_path), device=device))
    pipeline.build()
    return pipeline
