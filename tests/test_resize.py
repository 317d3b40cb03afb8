"""Pictures resized before they are cropped, against Pillow, fractions and plain loops."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import cut, pair_of_size, parameters, place, scaled_size, write_sized
from whole_labels import write_image, write_label

from dali_voc import Config, ConfigError, SampleError, build_loader, parse_config
from dali_voc.ops import Resize
from dali_voc.previewing import VOID, take_first
from dali_voc.testing import assert_resumes_exactly
from dali_voc.validation import join_tiles

MakeConfig = Callable[..., Config]
SIZES = [(90, 130), (120, 80), (100, 100), (64, 200), (33, 41), (150, 97), (96, 128), (40, 160)]
CROP = (48, 64)
RESIZES: list[dict[str, Any]] = [
    {"resize_shorter": 70},
    {"resize_longer": 111},
    {"resize_shorter": 77, "resize_longer": 129},  # mmsegmentation: scale=(129, 77)
    {"resize_to": [60, 75]},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of many sizes, stored without loss."""
    return write_sized(tmp_path_factory.mktemp("resize"), SIZES, splits=("train", "val"))


def rounded(value: Fraction) -> int:
    return max(1, (2 * value.numerator + value.denominator) // (2 * value.denominator))


def resized(size: tuple[int, int], augment: dict[str, Any]) -> list[int]:
    """mmcv's `imrescale`, in fractions: as large as both sides allow."""
    if "resize_to" in augment:
        return list(augment["resize_to"])
    allowed = []
    if "resize_shorter" in augment:
        allowed.append(Fraction(augment["resize_shorter"], min(size)))
    if "resize_longer" in augment:
        allowed.append(Fraction(augment["resize_longer"], max(size)))
    return [rounded(side * min(allowed)) for side in size]


def make(root: Path, **augment: Any) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": list(CROP), **augment},
            "normalize": {"dtype": "uint8"},
            "loader": {"device": "cpu", "batch_size": 3, "seed": 5},
        }
    )


@pytest.mark.parametrize("gpu_graph", [False, True])
@pytest.mark.parametrize("scale", [None, [0.5, 2.0]])
@pytest.mark.parametrize("resize", RESIZES, ids=str)
def test_training_crops(
    root: Path,
    resize: dict[str, Any],
    scale: list[float] | None,
    gpu_graph: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda _: gpu_graph)
    config = make(root, scale=scale, **resize)
    drawn = parameters(config)
    fill = np.round(np.array(config.normalize.mean) * 255)
    seen = []
    with build_loader(config) as loader:
        for images, labels in loader:
            for i, sample in enumerate(loader.in_hand.samples.tolist()):
                base = resized(SIZES[sample], resize)
                factors = drawn["scale"][sample] if scale else (1.0, 1.0)
                size = scaled_size(base, factors)
                image, classes = pair_of_size(root, sample, size)
                start = [
                    place(side, crop, u)
                    for side, crop, u in zip(size, CROP, drawn["position"][sample], strict=True)
                ]
                flip = slice(None, None, -1 if drawn["flip"][sample] else 1)
                assert np.array_equal(labels[i], cut(classes, start, CROP, 255)[:, flip])
                shown = images[i].permute(1, 2, 0).numpy().astype(float)
                difference = np.abs(shown - cut(image, start, CROP, fill)[:, flip])
                assert (difference.max(axis=-1) > 2).mean() < 2e-3
                assert difference.max() <= 8
                seen.append(sample)
    assert sorted(seen) == list(range(len(SIZES)))


@pytest.mark.parametrize("resize", RESIZES, ids=str)
def test_validation(root: Path, resize: dict[str, Any]) -> None:
    """Crops at the centre of the resized picture, and the whole resized picture."""
    shapes = [resized(size, resize) for size in SIZES]
    with build_loader(make(root, **resize), split="val") as loader:
        labels = [label.numpy() for _, batch in loader for label in batch]
    for sample, (label, size) in enumerate(zip(labels, shapes, strict=True)):
        start = [max(side - crop, 0) // 2 for side, crop in zip(size, CROP, strict=True)]
        middle = [
            int(0.5 * (max(side - crop, 0) + 1)) for side, crop in zip(size, CROP, strict=True)
        ]
        assert all(abs(a - b) <= 1 for a, b in zip(start, middle, strict=True))
        assert np.array_equal(label, cut(pair_of_size(root, sample, size)[1], middle, CROP, 255))
    with build_loader(make(root, validation="resize", **resize), split="val") as loader:
        batches = list(loader)
    assert [size for batch in batches for size in batch.sizes.tolist()] == shapes
    with build_loader(make(root, validation="full", **resize), split="val") as loader:
        stored = [tuple(size) for batch in loader for size in batch.sizes.tolist()]
    assert stored == SIZES
    with build_loader(make(root, validation="slide", **resize), split="val") as loader:
        for tiled, whole in zip(loader, batches, strict=True):
            assert torch.equal(tiled.sizes, whole.sizes)
            assert torch.equal(tiled.stored_sizes, whole.stored_sizes)
            height, width = tiled.sizes.amax(0).tolist()
            assert torch.equal(tiled.labels, whole.labels[:, :height, :width])
            assert len(tiled.images) == len(tiled.tiles)
            joined = join_tiles(tiled.images.float(), tiled.tiles, tiled.sizes)
            for picture, image in zip(joined, whole.images, strict=True):
                height, width = picture.shape[1:]
                assert torch.equal(picture, image[:, :height, :width].float())
    with build_loader(
        make(root, validation="resize", shorter_side=50, **resize), split="val"
    ) as loader:
        assert {min(size) for batch in loader for size in batch.sizes.tolist()} == {50}


@pytest.mark.parametrize("resize", RESIZES, ids=str)
def test_together_with_what_looks_at_labels(root: Path, resize: dict[str, Any]) -> None:
    """Crops around classes and `category_max_ratio` work on the resized picture."""
    more = {"class_crop": 0.5, "category_max_ratio": 0.75, "scale": [0.5, 2.0], "rotate": 10}
    config = make(root, **resize, **more)
    assert_resumes_exactly(lambda: build_loader(config), epochs=1)
    with build_loader(config) as loader:
        expected = [label.numpy() for _, labels in loader for label in labels]
    with build_loader(config) as loader:
        shown = take_first(loader, config, count=len(SIZES), compare=True)
    for one, label in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(one.codes, np.where(label == 255, VOID, label))


def test_a_side_that_would_vanish_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "i/a.png", (1000, 4))
    write_label(tmp_path / "m/a.png", np.zeros((1000, 4)))
    tree = {
        "dataset": {
            "name": "folder",
            "root": str(tmp_path),
            "images": "i/*.png",
            "masks": "m/*.png",
            "classes": ["a"],
        },
        "augment": {"crop_size": [4, 4], "resize_longer": 9},
        "loader": {"device": "cpu"},
    }
    with (
        build_loader(parse_config(tree)) as loader,
        pytest.raises(SampleError, match=r"a\.png: a side of the picture would be scaled by 0\.0"),
    ):
        next(iter(loader))


def test_keys_that_exclude_each_other(make_config: MakeConfig) -> None:
    for more, words in (
        ({"resize_to": [9, 9], "resize_longer": 9}, "resize_to excludes"),
        ({"resize_shorter": 9, "small": "drop"}, "small: drop goes by sizes as stored"),
    ):
        with pytest.raises(ConfigError, match=words):
            make_config(augment=more)
    for wrong in {}, {"exact": (1, 1), "longer": 2}, {"shorter": 0}:
        with pytest.raises(ValueError, match="expected"):
            Resize(**wrong)
