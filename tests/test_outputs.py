"""Types and layouts of images and labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_lossless

from dali_voc import Config, ConfigError, build_loader, parse_config

FLOATS = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("outputs"))


def make(root: Path, **sections: Any) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [250, 260], "erase": 0.5, "scale": [0.5, 1.5]},
            "loader": {"device": "cpu", "batch_size": 5},
            **sections,
        }
    )


def first(config: Config) -> tuple[torch.Tensor, torch.Tensor]:
    with build_loader(config) as loader:
        images, labels = next(iter(loader))
        return images, labels


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", FLOATS)
def test_floats(root: Path, name: str, *, channels_last: bool) -> None:
    expected, labels = first(make(root))
    images, same_labels = first(
        make(root, normalize={"dtype": name, "channels_last": channels_last})
    )
    assert images.dtype == FLOATS[name]
    assert images.shape == (5, 3, 250, 260)
    memory_format = torch.channels_last if channels_last else torch.contiguous_format
    assert images.is_contiguous(memory_format=memory_format)
    assert torch.equal(labels, same_labels)
    assert torch.equal(images, expected.to(FLOATS[name]))


@pytest.mark.parametrize("channels_last", [False, True])
def test_bytes(root: Path, *, channels_last: bool) -> None:
    config = make(root, normalize={"dtype": "uint8", "channels_last": channels_last})
    images, labels = first(config)
    expected, same_labels = first(make(root))
    assert images.dtype == torch.uint8
    assert images.is_contiguous(
        memory_format=torch.channels_last if channels_last else torch.contiguous_format
    )
    mean = torch.tensor(config.normalize.mean).view(3, 1, 1)
    std = torch.tensor(config.normalize.std).view(3, 1, 1)
    levels = (expected * std + mean) * 255
    assert torch.equal(labels, same_labels)
    assert (images - levels).abs().max() < 0.501
    padding = (labels == 255)[:, None].expand_as(images) & (expected == 0)
    assert padding.any()
    fill = torch.round(mean * 255).expand(5, 3, 250, 260)
    assert torch.equal(images[padding].float(), fill[padding])


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_label_types(root: Path, dtype: str) -> None:
    images, labels = first(make(root, labels={"dtype": dtype}))
    same_images, expected = first(make(root))
    assert labels.dtype == getattr(torch, dtype)
    assert torch.equal(labels.long(), expected)
    assert torch.equal(images, same_images)


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
def test_one_hot(root: Path, dtype: str) -> None:
    _, labels = first(make(root))
    _, planes = first(make(root, labels={"one_hot": True, "dtype": dtype}))
    assert planes.shape == (5, 21, 250, 260)
    assert planes.dtype == getattr(torch, dtype)
    for c in range(21):
        assert np.array_equal(planes[:, c], labels == c)
    assert (labels == 255).any()


def test_masks_of_single_classes(root: Path) -> None:
    _, labels = first(make(root))
    with build_loader(make(root)) as loader:
        classes = loader.spec.classes
    present = [c for c in labels.unique().tolist() if 0 < c < 255][:2]
    names = [classes[c] for c in present]
    _, masks = first(make(root, labels={"masks": names}))
    assert masks.shape == (5, 2, 250, 260)
    for k, c in enumerate(present):
        expected = np.where(labels == 255, 255, labels == c)
        assert np.array_equal(masks[:, k], expected)


def test_unknown_mask_is_refused(root: Path) -> None:
    with pytest.raises(ConfigError, match="masks: found 'unicorn', expected one of: background"):
        build_loader(make(root, labels={"masks": ["unicorn"]}))


def test_one_hot_and_masks_exclude_each_other(root: Path) -> None:
    with pytest.raises(ConfigError, match="one_hot and masks exclude each other"):
        make(root, labels={"one_hot": True, "masks": ["cat"]})


def test_one_hot_leaves_out_ignored_pixels_of_a_low_index(root: Path) -> None:
    _, labels = first(make(root, labels={"ignore_index": 0}))
    _, planes = first(make(root, labels={"ignore_index": 0, "one_hot": True}))
    for c in range(21):
        assert np.array_equal(planes[:, c], (labels == c) & (labels != 0))


def test_masks_need_a_distinct_ignore_index(root: Path) -> None:
    with pytest.raises(ConfigError, match="an ignore_index other than their 0 and 1"):
        make(root, labels={"ignore_index": 1, "masks": ["cat"]})
