"""What is read: real pairs, or made-up ones of VOC's sizes; as an epoch of thousands of names."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.scaling.pictures import write_many_names
from dali_voc.synthetic import draw_pair

__all__ = ["prepare", "write_lossless"]

# width, height; about as frequent as in VOC
_SIZES = ((500, 375), (500, 375), (375, 500), (500, 375), (500, 333), (500, 375), (333, 500))
# at which these pictures have about as many bytes as VOC's
_QUALITY = 96
_FEW = 64


def prepare(
    root: Path | None, *, distinct: int, epoch: int, folder: Path
) -> tuple[str, dict[str, Any]]:
    """Return a folder with an epoch of pairs, split train, and what is in it.

    Args:
        root: real pairs in VOC's layout: all that have a label. None: make pairs up.
        distinct: how many are made up.
        epoch: how many names the pairs have; symbolic links, so that few pairs are read again
            and again within an epoch.
        folder: an empty one.

    Returns:
        The folder to read, and a description that is fit for JSON.
    """
    if root is None:
        source = _write_all(folder / "made", _photo, count=distinct)
        kind = "made-up pictures of VOC's sizes, smooth ground, objects and noise"
    else:
        source, kind = root, "real pairs"
    labels = sorted((source / "SegmentationClass").glob("*.png"))
    if not labels:
        raise FileNotFoundError(f"{source}: found no labels (*.png), expected VOC's layout")
    images = [source / "JPEGImages" / f"{path.stem}.jpg" for path in labels]
    linked = write_many_names(folder / "linked", source=source, count=epoch)
    return str(linked), {
        "kind": kind,
        "distinct_pairs": len(labels),
        "names_per_epoch": epoch,
        "names": "symbolic links: each pair has several" if epoch > len(labels) else "one per pair",
        "mean_jpeg_bytes": round(sum(path.stat().st_size for path in images) / len(images)),
        "mean_png_bytes": round(sum(path.stat().st_size for path in labels) / len(labels)),
    }


def write_lossless(root: Path, *, count: int) -> str:
    """Write pairs whose pictures are PNG, under the name of a JPEG; returns the root."""
    return str(_write_all(root, _lossless, count=count))


def _write_all(root: Path, write: Callable[[Path, int], None], *, count: int) -> Path:
    for part in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / part).mkdir(parents=True)
    if count <= _FEW:  # faster than starting a process
        for number in range(count):
            write(root, number)
    else:
        workers = len(os.sched_getaffinity(0))
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for _ in pool.map(partial(write, root), range(count), chunksize=16):
                pass
    names = "".join(f"{_name(i)}\n" for i in range(count))
    (root / "ImageSets/Segmentation/train.txt").write_text(names)
    return root


def _name(number: int) -> str:
    return f"made_{number:06d}"


def _photo(root: Path, number: int) -> None:
    picture = _pair(root, number)
    # VOC's JPEGs have chroma at half the resolution
    picture.save(root / f"JPEGImages/{_name(number)}.jpg", quality=_QUALITY, subsampling="4:2:0")


def _lossless(root: Path, number: int) -> None:
    _pair(root, number).save(root / f"JPEGImages/{_name(number)}.jpg", "PNG", compress_level=1)


def _pair(root: Path, number: int) -> Image.Image:
    size = _SIZES[number % len(_SIZES)]
    picture, label = draw_pair(np.random.default_rng(number), size=size)
    label.save(root / f"SegmentationClass/{_name(number)}.png")
    return picture
