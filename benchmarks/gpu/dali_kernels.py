"""DALI's operators that do what our kernels do, timed alike.

Copies that only bring the input are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.gpu.kernels import Kernel, Moved, seconds_in_kernels
from dali_voc.config import NormalizeConfig
from dali_voc.labels import voc_colormap

__all__ = ["DALI_KERNELS"]

_BATCH = 256
_PICTURE, _CROP = (375, 500), (320, 480)

Graph = Callable[[Any], Any]


def _crop_mirror_normalize(pictures: Any, *, dtype: str) -> Any:
    from nvidia.dali import fn, types  # noqa: PLC0415

    normal = NormalizeConfig()
    return fn.crop_mirror_normalize(
        pictures,
        crop=_CROP,
        mirror=fn.random.coin_flip(),
        mean=[255 * mean for mean in normal.mean],
        std=[255 * std for std in normal.std],
        dtype=types.FLOAT if dtype == "float32" else types.FLOAT16,
        output_layout="CHW",
    )


def _lookup_table(keys: Any) -> Any:
    from nvidia.dali import fn, types  # noqa: PLC0415

    palette = voc_colormap(21)
    hashed = [(r >> 5) << 6 | (g >> 5) << 3 | b >> 5 for r, g, b in palette]
    return fn.lookup_table(
        keys, keys=hashed, values=list(range(21)), default_value=255, dtype=types.UINT8
    )


def _moved(device: torch.device, *, graph: Graph, keys: bool, moved: int) -> Moved:
    rng = torch.Generator(device).manual_seed(0)
    shape = (_BATCH, *_PICTURE) if keys else (_BATCH, *_PICTURE, 3)
    data = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8, device=device)
    batch = data.to(torch.uint16) if keys else data
    return {"bytes": moved, "seconds": _kernel_seconds(graph, batch, "HW" if keys else "HWC")}


def _kernel_seconds(graph: Graph, batch: torch.Tensor, layout: str) -> float:
    """Return the GPU's time in kernels, per run of the graph."""
    from nvidia.dali import Pipeline, fn  # noqa: PLC0415

    pipeline = Pipeline(
        batch_size=len(batch), num_threads=2, device_id=torch.cuda.current_device(), seed=0
    )
    with pipeline:
        given = fn.external_source(
            source=lambda: batch, device="gpu", batch=True, layout=layout, no_copy=True
        )
        pipeline.set_outputs(graph(given))
    pipeline.build()
    # batches that were made ahead: as many at the beginning as at the end
    return seconds_in_kernels(pipeline.run, batch.device)


_PIXELS = _BATCH * int(np.prod(_CROP))
_LABEL_PIXELS = _BATCH * int(np.prod(_PICTURE))

DALI_KERNELS: dict[str, Kernel] = {
    f"dali crop_mirror_normalize {dtype}": partial(
        _moved,
        graph=partial(_crop_mirror_normalize, dtype=dtype),
        keys=False,
        moved=3 * _PIXELS * (1 + size),
    )
    for dtype, size in (("float32", 4), ("float16", 2))
}
DALI_KERNELS["dali lookup_table"] = partial(
    _moved, graph=_lookup_table, keys=True, moved=_LABEL_PIXELS * (2 + 1)
)
