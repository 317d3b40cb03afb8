"""Validation modes: whole pictures, resized ones, and tiles."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_sized
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from whole_labels import write_image, write_label

from dali_voc import Config, SampleError, build_loader, parse_config
from dali_voc.testing import assert_resumes_exactly
from dali_voc.validation import (
    FullBatch,
    SlideBatch,
    TileJoiner,
    cut_tiles,
    join_tiles,
    tile_starts,
)

SIZES = [(90, 130), (120, 80), (100, 100), (64, 200), (33, 41), (150, 97), (96, 128)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A val split of pictures of many sizes, stored without loss."""
    return write_sized(tmp_path_factory.mktemp("validation"), SIZES, splits=("val",))


def make(root: Path, *, dtype: str = "uint8", **augment: Any) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [64, 96], "small": "drop", **augment},
            "normalize": {"dtype": dtype},
            "loader": {"device": "cpu", "batch_size": 3},
        }
    )


def stored(root: Path) -> list[tuple[Image.Image, np.ndarray]]:
    names = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    return [
        (
            Image.open(root / f"JPEGImages/{name}.jpg").convert("RGB"),
            np.array(Image.open(root / f"SegmentationClass/{name}.png")),
        )
        for name in names
    ]


def padded(picture: np.ndarray, shape: torch.Size, fill: Any) -> np.ndarray:
    result = np.empty((*shape, *picture.shape[2:]))
    result[:] = fill
    result[: picture.shape[0], : picture.shape[1]] = picture
    return result


@pytest.mark.parametrize("multiple", [1, 32])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_full(root: Path, multiple: int, dtype: str) -> None:
    config = make(root, dtype=dtype, validation="full", pad_multiple=multiple)
    pairs = iter(stored(root))
    mean, std = np.array(config.normalize.mean) * 255, np.array(config.normalize.std) * 255
    count = 0
    with build_loader(config, split="val") as loader:
        for batch in loader:
            assert isinstance(batch, FullBatch)
            n = len(batch.images)
            sizes = SIZES[count : count + n]
            assert batch.sizes.tolist() == batch.stored_sizes.tolist() == [list(s) for s in sizes]
            largest = [-(-max(s[k] for s in sizes) // multiple) * multiple for k in (0, 1)]
            assert list(batch.images.shape) == [n, 3, *largest]
            assert list(batch.labels.shape) == [n, *largest]
            for shown, label in zip(batch.images, batch.labels, strict=True):
                image, classes = next(pairs)
                assert np.array_equal(label, padded(classes, label.shape, 255))
                picture = shown.permute(1, 2, 0).numpy()
                if dtype == "uint8":
                    expected = padded(np.array(image), label.shape, np.round(mean))
                    assert np.array_equal(picture, expected)
                else:
                    expected = padded((np.array(image) - mean) / std, label.shape, 0)
                    np.testing.assert_allclose(picture, expected, rtol=0, atol=5e-7)
            count += n
    assert count == len(SIZES)


@pytest.mark.parametrize("shorter", [None, 50, 120])
def test_resize(root: Path, shorter: int | None) -> None:
    config = make(root, validation="resize", shorter_side=shorter)
    with build_loader(config, split="val") as loader:
        shown = [
            (image[:, :h, :w].permute(1, 2, 0).numpy(), label[:h, :w].numpy(), stored_size)
            for images, labels, sizes, stored_sizes, _ in loader
            for image, label, (h, w), stored_size in zip(
                images, labels, sizes.tolist(), stored_sizes.tolist(), strict=True
            )
        ]
    for (picture, label, size), (image, classes) in zip(shown, stored(root), strict=True):
        height, width = classes.shape
        factor = (shorter or 64) / min(height, width)
        new = [int(np.floor(side * factor + 0.5)) for side in (height, width)]
        assert size == [height, width]
        assert list(label.shape) == new
        assert min(new) == (shorter or 64)
        rows = [int((i + 0.5) * height / new[0]) for i in range(new[0])]
        columns = [int((j + 0.5) * width / new[1]) for j in range(new[1])]
        assert np.array_equal(label, classes[rows][:, columns])
        expected = np.array(image.resize((new[1], new[0]), Image.Resampling.BILINEAR)).astype(int)
        # Pillow rounds after each of its two passes
        assert np.abs(picture - expected).max() <= 1


@pytest.mark.parametrize(
    ("size", "shorter", "longer"),
    [((1000, 1500), 427, 641), ((1500, 1000), 333, 500), ((6, 9), 7, 11), ((9, 600), 1, 67)],
)
def test_resize_rounds_halves_up(
    tmp_path: Path, size: tuple[int, int], shorter: int, longer: int
) -> None:
    assert longer == int(Fraction(max(size) * shorter, min(size)) + Fraction(1, 2))
    write_image(tmp_path / "i/a.png", size)
    write_label(tmp_path / "m/a.png", np.zeros(size))
    folder = {"name": "folder", "root": str(tmp_path), "images": "i/*.png", "masks": "m/*.png"}
    tree = {
        "dataset": {**folder, "classes": ["a"]},
        "augment": {"validation": "resize", "shorter_side": shorter},
        "loader": {"device": "cpu"},
    }
    with build_loader(parse_config(tree), split="val") as loader:
        (batch,) = loader
    assert sorted(batch.sizes[0].tolist()) == [shorter, longer]


def test_full_resumes(root: Path) -> None:
    config = make(root, validation="full")
    assert_resumes_exactly(lambda: build_loader(config, split="val"))


def test_training_is_not_concerned(root: Path) -> None:
    with build_loader(make(root, validation="full")) as loader:
        images, labels = next(iter(loader))
    assert images.shape == (3, 3, 64, 96)
    assert labels.shape == (3, 64, 96)


def test_sizes_and_tiles_are_on_the_cpu(root: Path) -> None:
    """Also where new tensors lie elsewhere by default."""
    torch.set_default_device("meta")
    try:
        with build_loader(make(root, validation="slide"), split="val") as loader:
            batch = next(iter(loader))
    finally:
        torch.set_default_device(None)
    assert {part.device.type for part in batch} == {"cpu"}


@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_slide(root: Path, dtype: str) -> None:
    config = make(root, validation="slide", stride=[40, 50], dtype=dtype)
    full = make(root, validation="full", pad_multiple=1, dtype=dtype)
    fill = np.round(np.array(config.normalize.mean) * 255) * (dtype == "uint8")
    with (
        build_loader(config, split="val") as tiled,
        build_loader(full, split="val") as whole,
    ):
        for tiles, batch in zip(tiled, whole, strict=True):
            assert isinstance(tiles, SlideBatch)
            assert torch.equal(tiles.labels, batch.labels)
            assert torch.equal(tiles.sizes, batch.sizes)
            covered = torch.zeros(batch.labels.shape)
            for tile, (i, y, x) in zip(tiles.images, tiles.tiles.tolist(), strict=True):
                height, width = batch.sizes[i].tolist()
                shown = batch.images[i, :, y : min(y + 64, height), x : min(x + 96, width)]
                picture = shown.permute(1, 2, 0).numpy()
                expected = padded(picture, torch.Size([64, 96]), fill)
                assert np.array_equal(tile.permute(1, 2, 0).numpy(), expected)
                covered[i, y : y + 64, x : x + 96] += 1
            for i, (height, width) in enumerate(batch.sizes.tolist()):
                assert (covered[i, :height, :width] >= 1).all()


@given(size=st.integers(1, 300), tile=st.integers(1, 100), data=st.data())
@settings(max_examples=200, deadline=None)
def test_tiles_cover_an_axis(size: int, tile: int, data: st.DataObject) -> None:
    stride = data.draw(st.integers(1, tile))
    starts = tile_starts(size, tile=tile, stride=stride)
    covered = [any(s <= k < s + tile for s in starts) for k in range(size)]
    assert all(covered)
    assert starts == sorted(set(starts))
    assert all(b - a <= stride for a, b in itertools.pairwise(starts))
    assert starts[-1] == max(0, size - tile)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_joining_takes_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = torch.from_numpy(rng.integers(1, 30, (3, 2)))
    images = torch.zeros((3, 3, 30, 30))
    tile = tuple(rng.integers(1, 20, 2).tolist())
    stride = tuple(int(rng.integers(1, side + 1)) for side in tile)
    _, places = cut_tiles(images, sizes, tile=tile, stride=stride)
    scores = torch.from_numpy(rng.normal(size=(len(places), 2, *tile)))
    for i, found in enumerate(join_tiles(scores, places, sizes)):
        height, width = sizes[i].tolist()
        assert found.shape == (2, height, width)
        for y in range(height):
            for x in range(width):
                values = [
                    s[:, y - top, x - left].numpy()
                    for s, (k, top, left) in zip(scores, places.tolist(), strict=True)
                    if k == i and top <= y < top + tile[0] and left <= x < left + tile[1]
                ]
                np.testing.assert_allclose(found[:, y, x], np.mean(values, axis=0), atol=1e-12)


def test_a_picture_too_narrow_to_resize_is_named(root: Path) -> None:
    with (
        pytest.raises(SampleError, match=r"scaled by .* expected factors of 0.01 to 100"),
        build_loader(make(root, validation="resize", shorter_side=16384), split="val") as loader,
    ):
        list(loader)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_many_tiles_of_16_bits_are_joined_as_exactly_as_few(dtype: torch.dtype) -> None:
    rng = torch.Generator().manual_seed(0)
    whole = torch.randn(1, 3, 40, 50, generator=rng).to(dtype)
    sizes = torch.tensor([[40, 50]])
    tiles, places = cut_tiles(whole, sizes, tile=(32, 32), stride=(1, 1))
    (joined,) = join_tiles(tiles, places, sizes)
    assert joined.dtype == dtype
    # sums of 32 bits, rounded once
    torch.testing.assert_close(
        joined, whole[0], rtol=1e-2 if dtype == torch.bfloat16 else 1e-3, atol=0
    )


def test_tiles_that_leave_pixels_out() -> None:
    """Scores at a quarter of the size, as SegFormer gives them; strides beyond the tile."""
    sizes = torch.tensor([[8, 12]])
    tiles, places = cut_tiles(torch.zeros(1, 3, 8, 12), sizes, tile=(8, 8), stride=(4, 4))
    with pytest.raises(ValueError, match=r"scores of 2x2 .* do not cover the pictures"):
        join_tiles(torch.zeros(len(tiles), 5, 2, 2), places, sizes)
    for wrong in torch.zeros(len(tiles), 8, 8), torch.zeros(1, 5, 8, 8):
        with pytest.raises(ValueError, match="scores have shape"):
            join_tiles(wrong, places, sizes)
    with pytest.raises(ValueError, match=r"stride .* is larger than tile"):
        cut_tiles(torch.zeros(1, 3, 8, 12), sizes, tile=(8, 8), stride=(8, 9))


def test_joined_votes_are_no_whole_numbers() -> None:
    tiles = torch.tensor([[[[2, 2]]], [[[1, 1]]]])
    (joined,) = join_tiles(tiles, torch.tensor([[0, 0, 0], [0, 0, 1]]), torch.tensor([[1, 3]]))
    assert joined.tolist() == [[[2.0, 1.5, 1.0]]]


@pytest.mark.parametrize("weight", ["uniform", "gaussian"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_tiles_joined_some_at_a_time(weight: Any, dtype: torch.dtype) -> None:
    """Against sums over all tiles in NumPy, pixel by pixel."""
    sizes = torch.tensor([[40, 55], [9, 30], [33, 16]])
    images = torch.zeros(3, 3, 40, 55)
    tiles, places = cut_tiles(images, sizes, tile=(16, 20), stride=(7, 11))
    scores = torch.randn(len(tiles), 4, 16, 20, generator=torch.Generator().manual_seed(0))
    scores = scores.to(dtype)
    joiner = TileJoiner(sizes, weight=weight)
    for _ in range(2):  # it begins anew
        for some in torch.arange(len(tiles)).split(5):
            joiner.add(scores[some], places[some])
        joined = joiner.finish()
    counts = np.ones((16, 20))
    if weight == "gaussian":
        y, x = np.mgrid[:16, :20]
        counts = np.exp(-(((y - 7.5) / 2) ** 2) / 2 - (((x - 9.5) / 2.5) ** 2) / 2)
        counts = np.maximum(counts, 1e-3)
    for i, (height, width) in enumerate(sizes.tolist()):
        total, weights = np.zeros((4, height, width)), np.zeros((height, width))
        for score, (picture, top, left) in zip(
            scores.double().numpy(), places.tolist(), strict=True
        ):
            for row, column in np.ndindex(16, 20):
                if picture == i and top + row < height and left + column < width:
                    total[:, top + row, left + column] += (
                        score[:, row, column] * counts[row, column]
                    )
                    weights[top + row, left + column] += counts[row, column]
        assert joined[i].dtype == dtype
        tolerance = 1e-5 if dtype == torch.float32 else 2e-2
        assert np.allclose(joined[i].double().numpy(), total / weights, atol=tolerance)


def test_what_a_joiner_is_not_given() -> None:
    sizes = torch.tensor([[20, 20]])
    tiles, places = cut_tiles(torch.zeros(1, 3, 20, 20), sizes, tile=(16, 16), stride=(8, 8))
    joiner = TileJoiner(sizes)
    with pytest.raises(ValueError, match="no scores at all do not cover the pictures"):
        joiner.finish()
    joiner.add(tiles[:2], places[:2])
    with pytest.raises(ValueError, match=r"do not cover the pictures, expected .* all of"):
        joiner.finish()
    with pytest.raises(ValueError, match=r"scores are .*float32 \[3, 8, 16\], expected"):
        joiner.add(tiles[2:, :, :8], places[2:])
    with pytest.raises(ValueError, match="weight: found 'mean', expected 'uniform' or 'gaussian'"):
        TileJoiner(sizes, weight="mean")  # type: ignore[arg-type]
    assert join_tiles(torch.zeros(0, 3, 4, 4), torch.zeros(0, 3), torch.zeros(0, 2)) == []


def test_a_joiner_begins_anew() -> None:
    sizes = torch.tensor([[4, 6]])
    joiner = TileJoiner(sizes)
    joiner.add(torch.ones(1, 2, 4, 6), torch.tensor([[0, 0, 0]]))
    joiner.finish()
    joiner.add(torch.ones(1, 2, 4, 4), torch.tensor([[0, 0, 0]]))
    with pytest.raises(ValueError, match="do not cover the pictures"):
        joiner.finish()
