"""A small made-up data set in VOC's own layout, for demonstrations, tests and first steps."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from dali_voc._files import write_bytes, write_text
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.labels import voc_colormap

__all__ = ["draw_pair", "write_voc"]

# width, height; the first are as frequent as in VOC, the last are smaller than a 320x480 crop
_SIZES = ((500, 375), (500, 375), (375, 500), (500, 333), (333, 500), (480, 360), (300, 220))
_BORDER = 255


def draw_pair(
    rng: np.random.Generator, *, size: tuple[int, int]
) -> tuple[Image.Image, Image.Image]:
    """Draw some objects of VOC's classes on a noisy ground.

    Args:
        rng: decides everything.
        size: width and height, pixels.

    Returns:
        The picture (RGB) and its label (palette, VOC's colours, border 255 around each object).
    """
    width, height = size
    label = Image.new("P", size, 0)
    label.putpalette([value for color in voc_colormap(256) for value in color])
    picture = Image.fromarray(_ground(rng, width, height))
    for _ in range(int(rng.integers(1, 5))):
        index = int(rng.integers(1, len(VOC_SPEC.classes)))
        outline = _outline(rng, width, height)
        shade = rng.normal(0, 12, 3)
        color = tuple(int(c) for c in np.clip(VOC_SPEC.colors[index] + shade + 40, 0, 255))
        ImageDraw.Draw(label).polygon(outline, fill=index)
        ImageDraw.Draw(label).line([*outline, outline[0]], fill=_BORDER, width=5)
        ImageDraw.Draw(picture).polygon(outline, fill=color)
    pixels = np.asarray(picture, np.float32) + rng.normal(0, 6, (height, width, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)), label


def _ground(rng: np.random.Generator, width: int, height: int) -> npt.NDArray[np.uint8]:
    coarse = rng.integers(60, 200, (5, 5, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    return np.array(smooth)


def _outline(rng: np.random.Generator, width: int, height: int) -> list[tuple[float, float]]:
    """Return the corners of a star-shaped polygon somewhere on the picture."""
    n = int(rng.integers(5, 12))
    angles = np.sort(rng.uniform(0, 2 * np.pi, n))
    radii = rng.uniform(0.12, 0.35) * min(width, height) * rng.uniform(0.6, 1.3, n)
    x = rng.uniform(0.1, 0.9) * width + radii * np.cos(angles)
    y = rng.uniform(0.1, 0.9) * height + radii * np.sin(angles)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def write_voc(
    root: str | os.PathLike[str], *, train: int = 96, val: int = 24, seed: int = 0
) -> Path:
    """Write a made-up data set: JPEG pictures, palette PNG labels and split lists.

    Args:
        root: the folder to write, made where it is missing; the files in it that are named as
            ours are overwritten.
        train: number of training pairs.
        val: number of validation pairs.
        seed: decides every pixel.

    Returns:
        The root.
    """
    root = Path(root)
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True, exist_ok=True)
    names = [f"made_{i:06d}" for i in range(train + val)]
    for i, name in enumerate(names):
        picture, label = draw_pair(np.random.default_rng((seed, i)), size=_SIZES[i % len(_SIZES)])
        write_bytes(root / "JPEGImages" / f"{name}.jpg", _encode(picture, "JPEG", quality=90))
        write_bytes(root / "SegmentationClass" / f"{name}.png", _encode(label, "PNG"))
    splits = {"train": names[:train], "val": names[train:], "trainval": names}
    for split, members in splits.items():
        text = "".join(f"{name}\n" for name in members)
        write_text(root / "ImageSets/Segmentation" / f"{split}.txt", text)
    return root


def _encode(picture: Image.Image, kind: str, **options: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, **options)
    return data.getvalue()
