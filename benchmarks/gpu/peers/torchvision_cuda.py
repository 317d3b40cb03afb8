"""torchvision decodes a batch of JPEGs on the GPU; threads read the files and decode the labels."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torchvision.io import ImageReadMode, decode_jpeg, read_file

from benchmarks.cpu.peers._windows import Window, draw_window, find_pairs, shuffled_batches
from benchmarks.gpu.peers._byte_pair import cut_label, normalise
from dali_voc._devices import pick_device
from dali_voc._threads import pick_threads
from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["batches"]

_AHEAD = 4  # batches whose files are being read


class _Read(NamedTuple):
    encoded: torch.Tensor
    window: Window
    label: torch.Tensor


def batches(config: Config, split: str) -> Generator[Item, None, None]:
    """Yield batches without end."""
    device = pick_device(config.loader.device)
    index = find_pairs(config, split)
    lists = shuffled_batches(
        num_samples=len(index), batch_size=config.loader.batch_size, seed=config.loader.seed
    )
    waiting: deque[list[Future[_Read]]] = deque()
    with ThreadPoolExecutor(pick_threads(config.loader.threads)) as threads:
        while True:
            while len(waiting) < _AHEAD:
                waiting.append([threads.submit(_read, index, s, config) for s in next(lists)])
            yield _make([future.result() for future in waiting.popleft()], config, device)


def _read(index: PairIndex, sample: int, config: Config) -> _Read:
    with Image.open(index.labels[sample]) as label:
        classes = np.asarray(label)
    window = draw_window(*classes.shape, config.augment.crop_size)
    part = classes[window.rows, window.columns]
    part = part[:, ::-1] if window.flip else part
    return _Read(
        encoded=read_file(index.images[sample]),
        window=window,
        label=torch.from_numpy(cut_label(part, config)),
    )


def _make(samples: list[_Read], config: Config, device: torch.device) -> Item:
    pictures = decode_jpeg(
        [sample.encoded for sample in samples], mode=ImageReadMode.RGB, device=device
    )
    height, width = config.augment.crop_size
    images = torch.empty((len(samples), 3, height, width), dtype=torch.uint8, device=device)
    mean = torch.tensor(config.normalize.mean_color, dtype=torch.uint8, device=device)
    for image, picture, (_, window, _) in zip(images, pictures, samples, strict=True):
        if (window.height, window.width) != (height, width):
            image[:] = mean.view(3, 1, 1)
        part = picture[:, window.rows, window.columns]
        image[:, : window.height, : window.width] = part.flip(-1) if window.flip else part
    labels = torch.stack([sample.label for sample in samples])
    if device.type == "cuda":
        labels = labels.pin_memory()
    return normalise(images, config), labels.to(device, non_blocking=True).long()
