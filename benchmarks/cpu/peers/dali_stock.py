"""DALI with its own operators only: RGB labels, a 9-bit key of their colour, `lookup_table`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from nvidia.dali import Pipeline, fn, types

from benchmarks.cpu.peers._windows import find_pairs, shuffled_batches
from dali_voc._devices import pick_device
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.labels import voc_colormap

__all__ = ["batches"]


def batches(config: Config, split: str, threads: int = 2) -> Generator[Item, None, None]:
    """Yield batches without end, made where `loader.device` says."""
    on_gpu = pick_device(config.loader.device).type == "cuda"
    index = find_pairs(config, split)
    lists = shuffled_batches(
        num_samples=len(index), batch_size=config.loader.batch_size, seed=config.loader.seed
    )

    def names() -> list[list[Any]]:
        samples = np.array(next(lists))
        encoded = (files.encoded(samples) for files in (index.images, index.labels))
        # DALI's own reader takes each as it is
        return [[np.trim_zeros(path, "b") for path in paths] for paths in encoded]

    pipeline = Pipeline(
        batch_size=config.loader.batch_size,
        num_threads=threads,
        device_id=torch.cuda.current_device() if on_gpu else None,
        prefetch_queue_depth=2,
        seed=config.loader.seed,
    )
    with pipeline:
        pipeline.set_outputs(*_graph(names, config, decoder="mixed" if on_gpu else "cpu"))
    pipeline.build()
    stream = torch.cuda.current_stream() if on_gpu else None
    while True:
        images, labels = pipeline.run(stream)
        yield torch.from_dlpack(images.as_tensor()), torch.from_dlpack(labels.as_tensor())


def _graph(names: Any, config: Config, *, decoder: str) -> tuple[Any, Any]:
    image_path, label_path = fn.external_source(source=names, num_outputs=2)
    height, width = config.augment.crop_size
    place: dict[str, Any] = {
        "crop": (height, width),
        "crop_pos_x": fn.random.uniform(range=(0.0, 1.0)),
        "crop_pos_y": fn.random.uniform(range=(0.0, 1.0)),
        "out_of_bounds_policy": "pad",
    }
    flip = fn.random.coin_flip(probability=0.5)
    image = fn.crop_mirror_normalize(
        fn.decoders.image(fn.io.file.read(image_path), device=decoder),
        mirror=flip,
        mean=[255 * m for m in config.normalize.mean],
        std=[255 * s for s in config.normalize.std],
        output_layout="CHW",
        **place,
    )
    border = [float(value) for value in voc_colormap(256)[255]]
    colors = fn.decoders.image(fn.io.file.read(label_path), device=decoder)
    colors = fn.flip(fn.crop(colors, fill_values=border, **place), horizontal=flip)
    # the three highest bits of each channel tell VOC's colours apart
    key = colors // np.uint8(32)
    red, green, blue = (fn.cast(key[:, :, c], dtype=types.UINT16) for c in range(3))
    key = red * np.uint16(64) + green * np.uint16(8) + blue
    palette = voc_colormap(21)
    keys = [(r >> 5) << 6 | (g >> 5) << 3 | b >> 5 for r, g, b in palette]
    label = fn.lookup_table(
        key, keys=keys, values=list(range(21)), default_value=255, dtype=types.INT64
    )
    return image, label
