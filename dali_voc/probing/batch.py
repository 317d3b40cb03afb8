"""Makes batches on one device; those of a GPU are compared with the CPU's."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dali_voc._ranks import Ranks
from dali_voc.config import AugmentConfig, CacheConfig, Config, SamplingConfig
from dali_voc.datasets import PairIndex, find_index
from dali_voc.loader import Loader
from dali_voc.probing._report import Report

__all__ = ["probe", "simplified"]

_MOST = 32  # pairs in a batch
_PINNED = 64 * 2**20


def simplified(config: Config, *, num_samples: int, device: str) -> Config:
    """Return what a batch is made by: the user's data and settings without chance or mixing."""
    size = min(config.loader.batch_size, num_samples, _MOST)
    plain = {"one_hot": False, "masks": None, "dtype": "int64"}
    ours = {"device": device, "rank": 0, "world_size": 1}
    ours |= {"batch_size": size, "validation_batch_size": None}
    return config.model_copy(
        update={
            "augment": AugmentConfig(crop_size=config.augment.crop_size, flip=0.0),
            "labels": config.labels.model_copy(update=plain),
            "sampling": SamplingConfig(),
            "cache": CacheConfig(),
            "loader": config.loader.model_copy(update=ours),
        }
    )


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `shape`, `first_seconds`, `pairs_per_second`; of a GPU also how it differs.

    The request names `config`, `split`, `gpu` (its number, or None) and `seconds` to measure for.
    Differences are `unequal` (pixels of labels), and `mean` and `high` (percentile 99.9) of images,
    in levels 0..255. Further `nvjpeg`, the library that was loaded, and `pinned_error`.
    """
    config = Config.model_validate(request["config"])
    gpu = request["gpu"]
    report(stage="listing the data")
    must_exist = config.loader.raises
    index = find_index(config.dataset, request["split"], must_exist=must_exist)
    few = index.select(range(min(_MOST, len(index))))
    if gpu is None:
        report(stage="making a batch on the CPU")
        _run(config, few, "cpu", request["seconds"], report)
        return
    report(stage=f"starting GPU {gpu}")
    torch.cuda.set_device(gpu)
    report(pinned_error=_pin(), stage=f"making a batch on GPU {gpu}")
    made = _run(config, few, "cuda", request["seconds"], report)
    report(nvjpeg=_mapped("libnvjpeg"), stage="making the same batch on the CPU")
    plain = _run(config, few, "cpu", 0.0, lambda **_facts: None)
    report(**_differences(made, plain, config), stage=None)


def _run(
    config: Config, index: PairIndex, device: str, seconds: float, report: Report
) -> tuple[torch.Tensor, torch.Tensor]:
    settings = simplified(config, num_samples=len(index), device=device)
    begin = time.perf_counter()
    with Loader(settings, index, training=False, ranks=Ranks()) as loader:
        images, labels = next(iter(loader))
        _wait(device)
        first = time.perf_counter()
        report(shape=list(images.shape), first_seconds=first - begin, stage=None)
        if seconds:
            pairs = 0
            begin = time.perf_counter()
            while (now := time.perf_counter()) < begin + seconds or not pairs:
                pairs += sum(len(batch[0]) for batch in loader)
                _wait(device)
            now = time.perf_counter()
            report(pairs_per_second=pairs / (now - begin))
    return images.cpu(), labels.cpu()


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _pin() -> str | None:
    """Return why memory cannot be pinned, if so."""
    try:
        torch.empty(_PINNED, dtype=torch.uint8, pin_memory=True)
    except RuntimeError as e:
        return str(e).partition("\n")[0]
    return None


def _mapped(library: str) -> str | None:
    """Return the path of a library that this process has loaded."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if re.search(rf"/{library}[.-][^/]*$", line):
            return line[line.index("/") :]
    return None


def _differences(
    made: tuple[torch.Tensor, torch.Tensor],
    plain: tuple[torch.Tensor, torch.Tensor],
    config: Config,
) -> dict[str, Any]:
    """Return how two batches differ."""
    if [t.shape for t in made] != [t.shape for t in plain]:
        raise ValueError(f"found shapes {[list(t.shape) for t in made]}, the CPU's are others")
    levels = torch.ones(3, 1, 1)
    if config.normalize.dtype != "uint8":
        levels = 255 * torch.tensor(config.normalize.std).view(3, 1, 1)
    apart = ((made[0].float() - plain[0].float()).abs() * levels).numpy()
    return {
        "unequal": int((made[1] != plain[1]).sum()),
        "mean": float(apart.mean(dtype=np.float64)),
        "high": float(np.quantile(apart, 0.999)),
    }
