"""Graph: the bound that the loader is measured by."""

from __future__ import annotations

from typing import Any

from nvidia.dali import Pipeline, fn

from dali_voc.pipeline._inputs import Source, empty_pipeline, read_one

__all__ = ["build_decode_only_pipeline"]


def build_decode_only_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...] = ("image", "label"),
    batch_size: int,
    device_id: int | None,
    threads: int,
    prefetch: int,
    hw_decoder_load: float | None = None,
) -> Pipeline:
    """Build the pipeline that only decodes whole images: the bound of what DALI allows.

    Args:
        source: as for `build_pipeline`; only the images are used.
        columns: what the source gives.
        batch_size: of the largest batch.
        device_id: the GPU's number; None to decode on the CPU.
        threads: CPU threads.
        prefetch: batches in the works at once.
        hw_decoder_load: share of the pictures for the GPU's JPEG unit, 0 to 1; None for DALI's
            default. Without meaning on the CPU.

    Returns:
        A built pipeline with one output: uint8 pictures [height, width, 3] of mixed sizes.
    """
    pipeline = empty_pipeline(batch_size, device_id, threads, prefetch)
    with pipeline:
        _, encoded = read_one(source, "image", columns=columns)
        how: dict[str, Any] = {"device": "cpu"}
        if device_id is not None:
            how = {"device": "mixed"}
            if hw_decoder_load is not None:
                how["hw_decoder_load"] = hw_decoder_load
        pipeline.set_outputs(fn.decoders.image(encoded, **how))
    pipeline.build()
    return pipeline
