"""`augment.stored_labels`: images are resized, labels are as stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from whole_labels import write_image, write_label

from dali_voc import Config, ConfigError, build_loader, parse_config
from dali_voc.previewing import take_first
from dali_voc.validation import FullBatch

SIZES = [(30, 50), (64, 20), (41, 41), (90, 33)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stored")
    generator = torch.Generator().manual_seed(0)
    for i, size in enumerate(SIZES):
        write_image(root / f"i/{i}.png", size)
        write_label(root / f"m/{i}.png", torch.randint(0, 3, size, generator=generator).numpy())
    return root


def make(root: Path, **augment: Any) -> Config:
    folder = {"images": "i/*.png", "masks": "m/*.png", "classes": ["a", "b", "c"]}
    return parse_config(
        {
            "dataset": {"name": "folder", "root": str(root), **folder},
            "augment": {"crop_size": [32, 32], "pad_multiple": 8, **augment},
            "loader": {"device": "cpu", "batch_size": 3},
        }
    )


def batches(config: Config) -> list[FullBatch]:
    with build_loader(config, split="train", training=False) as loader:
        return [FullBatch(*(part.clone() for part in batch)) for batch in loader]


@pytest.mark.parametrize("how", [{}, {"shorter_side": 47}, {"resize_to": [24, 40]}], ids=str)
@pytest.mark.parametrize("gpu_graph", [False, True])
def test_images_are_those_of_resize_and_labels_those_of_full(
    root: Path, how: dict[str, Any], gpu_graph: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda _: gpu_graph)
    stored = batches(make(root, validation="full"))
    resized = batches(make(root, validation="resize", **how))
    found = batches(make(root, validation="resize", stored_labels=True, **how))
    for one, image, label in zip(found, resized, stored, strict=True):
        assert torch.equal(one.images, image.images)
        assert torch.equal(one.sizes, image.sizes)
        assert torch.equal(one.stored_sizes, label.sizes)
        assert torch.equal(one.labels, label.labels)


def test_the_preview_shows_both_as_they_are(root: Path) -> None:
    config = make(root, validation="resize", stored_labels=True, shorter_side=47)
    with build_loader(config, split="train", training=False) as loader:
        shown = take_first(loader, config, count=len(SIZES))
    for one, size in zip(shown, SIZES, strict=True):
        assert one.codes.shape == size
        assert min(one.image.shape[:2]) == 47


@pytest.mark.parametrize("validation", ["center", "full", "slide"])
def test_other_modes_do_not_resize_labels(root: Path, validation: str) -> None:
    with pytest.raises(ConfigError, match="stored_labels is for validation: resize"):
        make(root, validation=validation, stored_labels=True)
