"""What is decoded: photographs and labels, real ones or made up."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.labels import LabelTables
from dali_voc.synthetic import draw_pair

__all__ = ["TABLES", "Bytes", "Work", "make_label", "make_photo", "make_work", "truth"]

Bytes = npt.NDArray[np.uint8]

(TABLES,) = LabelTables.build(VOC_SPEC, ignore_index=255)
_NOISE = 0.5  # with which they have Cityscapes' 2.3 MB


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is decoded.

    Attributes:
        files: as many as there are in the largest batch.
        sizes: height and width of each, pixels.
        is_label: labels to classes; else photographs to RGB.
    """

    files: list[Bytes]
    sizes: list[tuple[int, int]]
    is_label: bool

    def first(self, n: int) -> Work:
        return Work(files=self.files[:n], sizes=self.sizes[:n], is_label=self.is_label)

    @property
    def scratch(self) -> int:
        """Bytes of device memory that decoding takes, with room to spare."""
        pixels = sum(h * (w + 16) for h, w in self.sizes) * (1 if self.is_label else 4)
        return 2 * pixels + self.staging + 4096 * len(self.files)

    @property
    def staging(self) -> int:
        """Bytes of host memory from which the files go to the device, likewise."""
        return sum(file.size + 64 for file in self.files) + 2**16


def _encode(picture: Image.Image) -> Bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return np.frombuffer(stream.getvalue(), np.uint8)


def make_photo(rng: np.random.Generator, *, height: int, width: int) -> Bytes:
    """A smooth picture with noise, RGB."""
    coarse = rng.integers(0, 256, (24, 48, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.float32) + rng.normal(0, _NOISE, (height, width, 1))
    return _encode(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))


def make_label(rng: np.random.Generator, *, size: tuple[int, int]) -> Bytes:
    """A label of VOC's form; width and height in pixels."""
    return _encode(draw_pair(rng, size=size)[1])


def make_work(files: Sequence[Bytes], n: int, *, is_label: bool) -> Work:
    """A batch of n: the files again and again."""
    sizes = []
    for file in files:
        with Image.open(io.BytesIO(file.tobytes())) as image:
            sizes.append((image.height, image.width))
    return Work(
        files=[files[i % len(files)] for i in range(n)],
        sizes=[sizes[i % len(sizes)] for i in range(n)],
        is_label=is_label,
    )


def truth(file: Bytes, *, is_label: bool) -> npt.NDArray[np.uint8]:
    """Its pixels, by Pillow: classes, or RGB."""
    with Image.open(io.BytesIO(file.tobytes())) as image:
        # VOC's palette indices are its classes
        return np.array(image if is_label else image.convert("RGB"))
