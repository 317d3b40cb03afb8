"""Whole labels of a data set through the loader, for the tests of data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from dali_voc import build_loader, parse_config
from dali_voc.datasets import DatasetOptions, PairIndex, find_pairs

NOTHING: dict[str, Any] = {}


Pair = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def load_pairs(
    name: str, root: Path, split: str, *, reading: dict[str, Any] = NOTHING, **dataset: Any
) -> list[Pair]:
    """Return image [height, width, 3] and class indices [height, width] of every pair, in order.

    Args:
        name: of the data set.
        root: its folder.
        split: name of the split.
        reading: section `labels` of the configuration.
        dataset: further keys of section `dataset`.
    """
    config = parse_config(
        {
            "dataset": {"name": name, "root": str(root), **dataset},
            "augment": {"validation": "full"},
            "normalize": {"dtype": "uint8"},
            "labels": reading,
            "loader": {"batch_size": 3, "device": "cpu", "threads": 2},
        }
    )
    found = []
    with build_loader(config, split=split, training=False) as loader:
        for images, labels, sizes, *_ in loader:
            for image, label, (height, width) in zip(images, labels, sizes.tolist(), strict=True):
                whole = image.permute(1, 2, 0)[:height, :width].numpy()
                found.append((whole, label[:height, :width].numpy()))
    return found


def load_labels(*args: Any, **keys: Any) -> list[npt.NDArray[np.int64]]:
    """Return the labels alone, as `load_pairs` does."""
    return [label for _, label in load_pairs(*args, **keys)]


def read_label(path: Path) -> npt.NDArray[np.integer[Any]]:
    """Return what Pillow says a label holds: values, palette indices, or colours."""
    return np.array(Image.open(path))


def by_value(
    values: npt.NDArray[np.integer[Any]], classes: dict[int, int], rest: int = 255
) -> npt.NDArray[np.int64]:
    """Return the class of each value, in the slowest way."""
    flat = [classes.get(int(value), rest) for value in values.ravel()]
    return np.array(flat).reshape(values.shape)


def write_image(path: Path, size: tuple[int, int]) -> None:
    """Write a picture of noise, height and width given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(path.name))
    Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)


def write_label(
    path: Path,
    values: npt.NDArray[np.integer[Any]],
    palette: Sequence[tuple[int, int, int]] | None = None,
) -> None:
    """Write values as gray PNG, or as palette PNG; or colours, [height, width, 3 or 4]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(values.astype(np.uint8))
    if palette is not None:
        picture = Image.fromarray(values.astype(np.uint8), "P")
        picture.putpalette([part for color in palette for part in color])
    picture.save(path, "PNG")


def pairs_of(
    name: str, root: Path, split: str, *, must_exist: bool = True, **options: Any
) -> PairIndex:
    """Return the index of a split."""
    given = DatasetOptions(**options)
    return find_pairs(name, root, split, must_exist=must_exist, options=given)


def paths_of(index: PairIndex) -> list[tuple[str, str]]:
    """Return image and label of each pair."""
    return [(index.images[i], index.labels[i]) for i in range(len(index))]
