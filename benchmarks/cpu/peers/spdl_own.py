"""SPDL's threads with its own decoders: FFmpeg decodes, converts, cuts and mirrors."""

from __future__ import annotations

import random
from collections.abc import Generator

import spdl.io
import torch
from spdl.pipeline import PipelineBuilder

from benchmarks.cpu.peers._colors import color_classes, color_table
from benchmarks.cpu.peers._plain_pair import Sample, pad_normalised
from benchmarks.cpu.peers._windows import find_pairs, shuffled_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    torch.set_num_threads(1)
    index = find_pairs(config, split)
    table = color_table()
    height, width = config.augment.crop_size

    def read(sample: int) -> Sample:
        x, y = random.random(), random.random()
        cut = (
            f"format=rgb24,crop=w='min(iw,{width})':h='min(ih,{height})'"
            f":x='floor((iw-ow+1)*{x:.9f})':y='floor((ih-oh+1)*{y:.9f})'"
        )
        cut += ",hflip" if random.random() < 0.5 else ""
        picture, colors = (
            spdl.io.to_numpy(spdl.io.load_image(path, filter_desc=cut))
            for path in (index.images[sample], index.labels[sample])
        )
        return pad_normalised(picture, color_classes(colors, table), config)

    def make(samples: list[int]) -> Item:
        images, labels = zip(*map(read, samples), strict=True)
        return (
            torch.stack([torch.from_numpy(image) for image in images]),
            torch.stack([torch.from_numpy(label) for label in labels]),
        )

    source = shuffled_batches(
        num_samples=len(index), batch_size=config.loader.batch_size, seed=config.loader.seed
    )
    builder = PipelineBuilder().add_source(source)
    builder = builder.pipe(make, concurrency=2, output_order="input").add_sink(2)
    pipeline = builder.build(num_threads=2, max_failures=0)
    with pipeline.auto_stop():
        yield from pipeline.get_iterator()
