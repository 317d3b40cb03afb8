"""One pair, as fast as public packages allow: for the tuned loaders.

simplejpeg decodes into a buffer that is used again and again; OpenCV splits the window into planes
that stay in the cache and brings each to float in one pass (`addWeighted`); libdeflate inflates the
label; torch widens it to int64. simplejpeg's fast options change pixels, so they are not used.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg
import torch

from benchmarks.cpu.peers._palette_png import read_indices
from benchmarks.cpu.peers._windows import Window, draw_window
from dali_voc.config import Config
from dali_voc.datasets import PairIndex

__all__ = ["FastPairs"]


class FastPairs:
    """Reads pairs into memory that is there already. One per thread."""

    def __init__(self, config: Config, index: PairIndex) -> None:
        self._index = index
        self._crop = config.augment.crop_size
        self._scratch = bytearray(1 << 22)
        self._planes = [np.empty(self._crop, np.uint8) for _ in range(3)]
        normal = config.normalize
        self._scale = [1 / (255 * std) for std in normal.std]
        self._shift = [-m / std for m, std in zip(normal.mean, normal.std, strict=True)]

    def read(
        self, sample: int, image: npt.NDArray[np.float32], label: npt.NDArray[np.int64]
    ) -> None:
        """Read a sample into float32 [3, height, width] and int64 [height, width]."""
        picture = self._decode(Path(self._index.images[sample]).read_bytes())
        indices = read_indices(Path(self._index.labels[sample]).read_bytes())
        window = draw_window(*picture.shape[:2], self._crop)
        part = picture[window.rows, window.columns]
        classes = indices[window.rows, window.columns]
        if window.flip:
            part, classes = cv2.flip(part, 1), cv2.flip(classes, 1)
        self._normalise(part, image)
        torch.from_numpy(label[: window.height, : window.width]).copy_(torch.from_numpy(classes))
        self._pad(window, image, label)

    def _decode(self, data: bytes) -> npt.NDArray[np.uint8]:
        height, width = simplejpeg.decode_jpeg_header(data)[:2]
        if 3 * height * width > len(self._scratch):
            self._scratch = bytearray(3 * height * width)
        picture: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, buffer=self._scratch)
        return picture

    def _normalise(self, part: npt.NDArray[np.uint8], image: npt.NDArray[np.float32]) -> None:
        height, width = part.shape[:2]
        planes = [plane[:height, :width] for plane in self._planes]
        cv2.split(part, planes)
        for plane, scale, shift, out in zip(planes, self._scale, self._shift, image, strict=True):
            target = out[:height, :width]
            cv2.addWeighted(plane, scale, plane, 0.0, shift, dst=target, dtype=cv2.CV_32F)

    def _pad(
        self, window: Window, image: npt.NDArray[np.float32], label: npt.NDArray[np.int64]
    ) -> None:
        if (window.height, window.width) != self._crop:
            image[:, window.height :] = 0
            image[:, :, window.width :] = 0
            label[window.height :] = 255
            label[:, window.width :] = 255
