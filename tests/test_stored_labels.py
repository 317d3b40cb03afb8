"""`augment.stored_labels`: images are resized, labels are as stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from whole_labels import write_image, write_label

from dali_voc import Config, ConfigError, build_loader, parse_config
from dali_voc.previewing import Shown, take_first
from dali_voc.validation import FullBatch, SlideBatch

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


@pytest.mark.parametrize("how", [{}, {"shorter_side": 47}, {"resize_to": [24, 40]}], ids=str)
def test_in_tiles(root: Path, how: dict[str, Any]) -> None:
    stored = batches(make(root, validation="full", pad_multiple=1))
    config = make(root, validation="slide", **how)
    alone = make(root, validation="slide", stored_labels=True, **how)
    with (
        build_loader(config, split="train", training=False) as resized,
        build_loader(alone, split="train", training=False) as loader,
    ):
        for one, image, label in zip(loader, resized, stored, strict=True):
            assert isinstance(one, SlideBatch)
            assert torch.equal(one.images, image.images)
            assert torch.equal(one.tiles, image.tiles)
            assert torch.equal(one.sizes, image.sizes)
            assert torch.equal(one.stored_sizes, label.sizes)
            assert torch.equal(one.labels, label.labels)
            assert torch.equal(image.sizes, label.sizes) == (not how)


def test_the_preview_of_tiles_shows_the_pixels_of_the_file_that_they_show(root: Path) -> None:
    """At half the size, where a pixel is two by two of the file."""
    sizes = [(64, 80)]
    folder = root / "half"
    write_image(folder / "i/0.png", sizes[0])
    values = torch.arange(64 * 80).reshape(64, 80) % 3
    write_label(folder / "m/0.png", values.numpy())
    config = make(folder, validation="slide", stored_labels=True, shorter_side=32)
    with build_loader(config, split="train", training=False) as loader:
        shown = take_first(loader, config, count=1, compare=True)
    assert [one.raw.window for one in shown if one.raw] == [(0, 0, 64, 64), (0, 16, 64, 80)]
    for one, left in zip(shown, (0, 16), strict=True):
        assert one.image.shape == (32, 32, 3)
        assert one.codes.tolist() == values[:, left : left + 64].tolist()


def test_the_preview_of_tiles_shows_no_padding(root: Path) -> None:
    """At ratios that are no whole numbers, beside larger pictures."""
    config = make(root, validation="slide", stored_labels=True, shorter_side=26)
    with build_loader(config, split="train", training=False) as loader:
        shown = take_first(loader, config, count=len(SIZES))
    by_name: dict[str, list[Shown]] = {}
    for one in shown:
        by_name.setdefault(one.name, []).append(one)
    for name, (height, width) in zip("0123", SIZES, strict=True):
        for one in by_name[name]:
            assert one.codes.shape[0] <= height
            assert one.codes.shape[1] <= width
            assert (one.codes >= 0).all()


def test_the_preview_shows_both_as_they_are(root: Path) -> None:
    config = make(root, validation="resize", stored_labels=True, shorter_side=47)
    with build_loader(config, split="train", training=False) as loader:
        shown = take_first(loader, config, count=len(SIZES))
    for one, size in zip(shown, SIZES, strict=True):
        assert one.codes.shape == size
        assert min(one.image.shape[:2]) == 47


@pytest.mark.parametrize("validation", ["center", "full"])
def test_other_modes_do_not_resize_labels(root: Path, validation: str) -> None:
    with pytest.raises(ConfigError, match=f"resize and slide, found {validation}"):
        make(root, validation=validation, stored_labels=True)
