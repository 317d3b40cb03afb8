"""SPDL's threads around the tuned pair: whole batches into buffers that are used again."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

import cv2
import torch
from spdl.pipeline import PipelineBuilder

from benchmarks.cpu.peers._fast_pair import FastPairs
from benchmarks.cpu.peers._windows import find_pairs, shuffled_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]

_SLOTS = 6

Task = tuple[int, list[int]]


def batches(config: Config, split: str, threads: int = 2) -> Generator[Item, None, None]:
    """Yield batches without end; each is valid until the next is asked for."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    index = find_pairs(config, split)
    size = config.loader.batch_size
    height, width = config.augment.crop_size
    images = torch.zeros((_SLOTS, size, 3, height, width))
    labels = torch.zeros((_SLOTS, size, height, width), dtype=torch.int64)
    free: queue.Queue[int | None] = queue.Queue()
    for slot in range(_SLOTS):
        free.put(slot)
    own = threading.local()

    def tasks() -> Iterator[Task]:
        lists = shuffled_batches(num_samples=len(index), batch_size=size, seed=config.loader.seed)
        for samples in lists:
            slot = free.get()
            if slot is None:
                return
            yield slot, samples

    def make(task: Task) -> tuple[int, int]:
        if not hasattr(own, "pairs"):
            own.pairs = FastPairs(config, index)
        slot, samples = task
        into = images[slot].numpy(), labels[slot].numpy()
        for place, sample in enumerate(samples):
            own.pairs.read(sample, into[0][place], into[1][place])
        return slot, len(samples)

    builder = PipelineBuilder().add_source(tasks())
    builder = builder.pipe(make, concurrency=threads, output_order="input").add_sink(2)
    pipeline = builder.build(num_threads=threads, max_failures=0)
    with pipeline.auto_stop():
        try:
            for slot, n in pipeline.get_iterator():
                yield images[slot, :n], labels[slot, :n]
                free.put(slot)
        finally:
            free.put(None)
