"""Data sets for the curves: pictures of one size, and many names of few pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from dali_voc.synthetic import draw_pair

__all__ = ["write_many_names", "write_sized"]


def write_sized(root: Path, *, size: tuple[int, int], count: int = 24) -> Path:
    """Write pairs of a size (width, height), split train; returns the root."""
    names = [f"made_{i:04d}" for i in range(count)]
    _lay(root, names)
    for i, name in enumerate(names):
        picture, label = draw_pair(np.random.default_rng(i), size=size)
        picture.save(root / "JPEGImages" / f"{name}.jpg", quality=90)
        label.save(root / "SegmentationClass" / f"{name}.png")
    return root


def write_many_names(root: Path, *, source: Path, count: int) -> Path:
    """Write `count` names, symbolic links to the pairs of another data set, split train."""
    names = [f"link_{i:07d}" for i in range(count)]
    _lay(root, names)
    # most pictures of VOC have no label
    stems = sorted(path.stem for path in (source / "SegmentationClass").glob("*.png"))
    for folder, suffix in ("JPEGImages", "jpg"), ("SegmentationClass", "png"):
        for i, name in enumerate(names):
            target = source.resolve() / folder / f"{stems[i % len(stems)]}.{suffix}"
            os.symlink(target, root / folder / f"{name}.{suffix}")
    return root


def _lay(root: Path, names: list[str]) -> None:
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    text = "".join(f"{name}\n" for name in names)
    (root / "ImageSets/Segmentation/train.txt").write_text(text)
