"""DataLoader's workers make bytes, which travel to the GPU and are normalised there."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from benchmarks.cpu.peers._windows import find_pairs
from benchmarks.gpu.peers._byte_pair import BytePair, cut_bytes, normalise
from benchmarks.gpu.peers._worker_loader import device_batches
from dali_voc.benchmarking import Item
from dali_voc.config import Config

__all__ = ["batches"]

Decoder = Literal["pillow", "opencv"]


def batches(config: Config, split: str, *, decoder: Decoder) -> Generator[Item, None, None]:
    """Yield batches without end.

    Args:
        config: the configuration.
        split: what to read.
        decoder: of JPEG; labels are read by Pillow, which gives palette indices as they are.
    """
    for images, labels in device_batches(_Bytes(config, split, decoder), config):
        yield normalise(images, config), labels.long()


class _Bytes(torch.utils.data.Dataset[BytePair]):
    def __init__(self, config: Config, split: str, decoder: Decoder) -> None:
        self._config = config
        self._index = find_pairs(config, split)
        self._read: Any = _by_pillow if decoder == "pillow" else _by_opencv

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, sample: int) -> BytePair:
        with Image.open(self._index.labels[sample]) as label:
            classes = np.asarray(label)
        return cut_bytes(self._read(self._index.images[sample]), classes, self._config)


def _by_pillow(path: str) -> npt.NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _by_opencv(path: str) -> npt.NDArray[np.uint8]:
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    picture: npt.NDArray[np.uint8] = cv2.imread(path)[:, :, ::-1]
    return picture
