"""More than 255 classes: from the file to the batch, through cache, pack and statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, build_loader, count_classes
from dali_voc.datasets import Dataset, DatasetOptions, PairIndex, _find
from dali_voc.datasets.voc import find_pairs
from dali_voc.errors import ConfigError
from dali_voc.labels import LabelSpec
from dali_voc.packing import pack_split

MakeConfig = Callable[..., Config]
N = 847  # as ADE20K-full
VOID = 65535
SPEC = LabelSpec(
    classes=tuple(f"class {i}" for i in range(N)),
    colors=tuple((i // 256, i % 256, 9) for i in range(N)),
    void_values=(VOID,),
)


@pytest.fixture
def root(voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """VOC's layout, with gray labels of 16 bits."""
    root = tmp_path / "wide"
    (root / "SegmentationClass").mkdir(parents=True)
    for name in "JPEGImages", "ImageSets":
        (root / name).symlink_to(voc / name)
    for i, path in enumerate(sorted((voc / "SegmentationClass").iterdir())):
        width, height = Image.open(path).size
        Image.fromarray(truth(i, height, width)).save(root / "SegmentationClass" / path.name)

    def find(root: Path, split: str, *, must_exist: bool, options: DatasetOptions) -> PairIndex:
        index = find_pairs(root, split, must_exist=must_exist)
        return PairIndex(images=index.images, labels=index.labels, spec=SPEC)

    monkeypatch.setitem(_find.DATASETS, "wide", Dataset(find=find))
    return root


def truth(i: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(i)
    coarse = rng.integers(0, N + 20, (-(-height // 16), -(-width // 16)))
    coarse[coarse >= N] = VOID
    return np.kron(coarse, np.ones((16, 16), int))[:height, :width].astype(np.uint16)


def read(root: Path, stem: str) -> np.ndarray:
    values = np.array(Image.open(root / f"SegmentationClass/{stem}.png")).astype(int)
    return np.where(values == VOID, N, values)


KEYS: dict[str, Any] = {
    "labels": {"ignore_index": N},
    "augment": {"validation": "full", "pad_multiple": 1},
    "loader": {"batch_size": 1},
}


def batches(config: Config) -> list[torch.Tensor]:
    with build_loader(config, split="val") as loader:
        return [batch[1] for _ in range(2) for batch in loader]


@pytest.mark.parametrize("cache", ["none", "decoded", "encoded"])
@pytest.mark.parametrize("gpu_graph", [False, True])
def test_labels_are_those_of_the_files(
    root: Path,
    make_config: MakeConfig,
    monkeypatch: pytest.MonkeyPatch,
    cache: str,
    gpu_graph: bool,
) -> None:
    if gpu_graph:
        monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda device: True)
    keys = {**KEYS, "dataset": {"name": "wide"}, "cache": {"keep": cache}}
    found = batches(make_config(root, **keys))
    names = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    assert len(found) == 2 * len(names)
    for label, name in zip(found, [*names, *names], strict=True):
        assert label.dtype == torch.int64
        assert np.array_equal(label[0].numpy(), read(root, name))


def test_packed_and_counted(root: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(root, **KEYS, dataset={"name": "wide"})
    expected = batches(config)
    pack_split(config, tmp_path / "packs", split="val")
    packed = make_config(tmp_path / "packs", **KEYS, dataset={"name": "packed"})
    assert all(torch.equal(a, b) for a, b in zip(batches(packed), expected, strict=True))
    stats = count_classes(config, split="val")
    pixels = np.zeros(N + 1, int)
    for name in (root / "ImageSets/Segmentation/val.txt").read_text().split():
        pixels += np.bincount(read(root, name).reshape(-1), minlength=N + 1)
    assert list(stats.pixels) == pixels[:N].tolist()


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({}, r"labels\.ignore_index: found 255, which is one of 847 classes"),
        ({"ignore_index": 0, "dtype": "uint8"}, r"labels\.dtype: found uint8 for 847 classes"),
    ],
)
def test_indices_that_do_not_fit_are_refused(
    root: Path, make_config: MakeConfig, labels: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        build_loader(make_config(root, dataset={"name": "wide"}, labels=labels))


def test_ignore_index_must_fit_the_dtype(make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="ignore_index 300 does not fit dtype uint8"):
        make_config(labels={"ignore_index": 300, "dtype": "uint8"})
