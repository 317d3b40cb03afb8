"""Checks a peer on the encoded data set: alignment of every pixel, each sample once per epoch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cpu.encoded_voc import SIZES, check_batch
from benchmarks.cpu.peers import PEERS
from dali_voc.benchmarking import BatchCheck, Item
from dali_voc.config import Config, parse_config
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import LoaderError

__all__ = ["check_alignment", "check_batches", "encoded_config"]


def encoded_config(root: Path, *, device: str = "cpu") -> Config:
    """Return the configuration of the check: crops of 64x64, batches of 5."""
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [64, 64]},
            "loader": {"batch_size": 5, "threads": 2, "device": device},
        }
    )


def check_alignment(name: str, root: Path, epochs: int = 2) -> int:
    """Check some epochs of a peer on `write_encoded_voc`'s data; return how many pairs.

    Raises:
        LoaderError: says what was found and what was expected.
    """
    config = encoded_config(root)
    with contextlib.closing(PEERS[name](config, "train")) as batches:
        return check_batches(name, batches, config, epochs=epochs)


def check_batches(name: str, batches: Iterator[Item], config: Config, *, epochs: int = 2) -> int:
    """Check some epochs of whoever reads these data as `config` says; return how many pairs.

    Raises:
        LoaderError: says what was found and what was expected.
    """
    form = BatchCheck.from_config(config, VOC_SPEC)
    orders = []
    for _ in range(epochs):
        seen: list[int] = []
        while len(seen) < len(SIZES):
            item = next(batches)
            form.values(item)
            seen += check_batch(item, config)
        if sorted(seen) != list(range(len(SIZES))):
            raise LoaderError(f"'{name}': an epoch has samples {sorted(seen)}, expected each once")
        orders.append(seen)
    if sorted(orders[0]) == orders[0] or orders[0] == orders[1]:
        raise LoaderError(f"'{name}': samples are not shuffled anew for every epoch")
    return epochs * len(SIZES)
