"""Our loader and its bound as contestants."""

from __future__ import annotations

from functools import partial

from benchmarks.gpu.rounds import Contestant
from dali_voc._devices import pick_device, pick_prefetch
from dali_voc.benchmarking import CONTENDERS, BatchCheck, bound_batches
from dali_voc.config import Config
from dali_voc.datasets.voc import VOC_SPEC

__all__ = ["SPLIT", "batches_ahead", "bound", "loader"]

SPLIT = "train"


def loader(config: Config, *, title: str = "dali_voc") -> Contestant:
    """Return our loader, as configured."""
    return Contestant(
        title=title,
        start=partial(CONTENDERS["loader"], config, SPLIT),
        check=BatchCheck.from_config(config, VOC_SPEC),
        ahead=batches_ahead(config),
    )


def bound(config: Config, *, hw_decoder_load: float | None = None) -> Contestant:
    """Return the decoding of the same JPEGs, in the same order, and nothing else.

    Args:
        config: what our loader follows.
        hw_decoder_load: see `fn.decoders.image`; None for DALI's default.
    """
    return Contestant(
        title="DALI decodes the JPEGs, nothing else",
        start=partial(bound_batches, config, SPLIT, hw_decoder_load=hw_decoder_load),
        ahead=batches_ahead(config),
    )


def batches_ahead(config: Config) -> int:
    """Return how many batches at most a pipeline has made before it is timed."""
    device = pick_device(config.loader.device)
    return pick_prefetch(config.loader.prefetch, device=device) + 8
