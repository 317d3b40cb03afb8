"""Graph: the bound that the loader is measured by."""

from __future__ import annotations

from nvidia.dali import Pipeline, fn

from dali_voc.pipeline._files import Source, empty_pipeline, read_one

__all__ = ["build_decode_only_pipeline"]


def build_decode_only_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...] = ("image", "label"),
    batch_size: int,
    device_id: int | None,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that only decodes whole images: the bound of what DALI allows.

    Args:
        source: as for `build_pipeline`; only the images are used.
        columns: what the source gives.
        batch_size: of the largest batch.
        device_id: the GPU's number; None to decode on the CPU.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: uint8 pictures [height, width, 3] of mixed sizes.
    """
    pipeline = empty_pipeline(batch_size, device_id, threads, prefetch)
    with pipeline:
        _, encoded, _ = read_one(source, "image", columns=columns)
        device = "cpu" if device_id is None else "mixed"
        pipeline.set_outputs(fn.decoders.image(encoded, device=device))
    pipeline.build()
    return pipeline
