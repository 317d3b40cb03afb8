"""Image and label show the same pixels, at the place that the random numbers say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import encoded_voc
import numpy as np
import pytest
import torch

from dali_voc import Config, build_loader
from dali_voc.pictures import denormalize
from dali_voc.randomness import Stream, uniform

CROP = (64, 64)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoded_voc.write(tmp_path_factory.mktemp("encoded") / "voc")


def check(
    images: np.ndarray, label: np.ndarray, *, flip: bool | None = None
) -> tuple[int, int, int]:
    """Read sample and place of every pixel; demand that the label has that place's class.

    Returns the sample and the source position of the crop's first pixel.
    """
    padding = label == 255
    sample = int(images[~padding][0, 0])
    height, width = encoded_voc.SIZES[sample]
    visible = (min(height, CROP[0]), min(width, CROP[1]))
    assert (~padding).sum() == visible[0] * visible[1]
    y, x = images[..., 1].astype(int), images[..., 2].astype(int)
    wrong = (label != encoded_voc.label_of(sample, y, x)) & ~padding
    assert wrong.sum() == 0, f"{wrong.sum()} misaligned pixels in sample {sample}"
    assert (images[~padding][:, 0] == sample).all()
    inside = np.argwhere(~padding)
    first_y, first_x = inside.min(axis=0)
    assert first_y == 0
    assert (np.diff(y[:, first_x])[: visible[0] - 1] == 1).all()
    steps = np.diff(x[0][~padding[0]].astype(int))
    if flip is not None:
        assert (steps == (-1 if flip else 1)).all()
    return sample, int(y[0, first_x]), int(x[0][~padding[0]].min())


@pytest.mark.parametrize("flip", [0.0, 0.5, 1.0])
def test_no_misaligned_pixel_over_three_epochs(
    root: Path, make_config: Callable[..., Config], flip: float
) -> None:
    config = make_config(
        root, augment={"crop_size": list(CROP), "flip": flip}, loader={"batch_size": 3, "seed": 4}
    )
    n = len(encoded_voc.SIZES)
    flips_seen = set()
    with build_loader(config) as loader:
        for epoch in range(3):
            seen = []
            crop = uniform(seed=4, epoch=epoch, samples=np.arange(n), stream=Stream.CROP)
            coin = uniform(seed=4, epoch=epoch, samples=np.arange(n), stream=Stream.FLIP)[:, 0]
            for images, labels in loader:
                for picture, label in zip(
                    denormalize(images, config.normalize), labels.numpy(), strict=True
                ):
                    sample = int(picture[label != 255][0, 0])
                    flipped = bool(coin[sample] < flip)
                    _, y, x = check(picture, label, flip=flipped)
                    places = [
                        max(s - c, 0) + 1
                        for s, c in zip(encoded_voc.SIZES[sample], CROP, strict=True)
                    ]
                    assert y == int(float(crop[sample, 0]) * places[0])
                    assert x == int(float(crop[sample, 1]) * places[1])
                    flips_seen.add(flipped)
                    seen.append(sample)
            assert sorted(seen) == list(range(n))
    assert flips_seen == {0.0: {False}, 0.5: {False, True}, 1.0: {True}}[flip]


def test_padding_is_mean_colour_and_ignore_index(
    root: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(root, augment={"crop_size": [200, 220]}, labels={"ignore_index": 254})
    with build_loader(config) as loader:
        for images, labels in loader:
            padding = labels == 254
            assert padding.any()
            assert (images.permute(0, 2, 3, 1)[padding] == 0).all()


def test_validation_is_centred_in_order_and_always_the_same(
    root: Path, make_config: Callable[..., Config]
) -> None:
    config = make_config(root, augment={"crop_size": list(CROP)}, loader={"batch_size": 3})
    with build_loader(config, split="val") as loader:
        first, second = (list(loader) for _ in range(2))
        for (images, labels), (images2, labels2) in zip(first, second, strict=True):
            assert torch.equal(images, images2)
            assert torch.equal(labels, labels2)
        found = [
            check(picture, label, flip=False)
            for images, labels in first
            for picture, label in zip(
                denormalize(images, config.normalize), labels.numpy(), strict=True
            )
        ]
    expected = [
        (i, (max(h - CROP[0], 0) + 1) // 2, (max(w - CROP[1], 0) + 1) // 2)
        for i, (h, w) in enumerate(encoded_voc.SIZES)
    ]
    assert found == expected


def samples_of(config: Config, *, epochs: int = 2) -> dict[tuple[int, int], bytes]:
    """(epoch, sample) -> the bytes of its image and label."""
    found = {}
    with build_loader(config) as loader:
        for epoch in range(epochs):
            for images, labels in loader:
                shown = denormalize(images, config.normalize)
                for i, label in enumerate(labels):
                    sample = int(shown[i][label.numpy() != 255][0, 0])
                    found[epoch, sample] = images[i].numpy().tobytes() + label.numpy().tobytes()
    return found


def test_a_sample_is_the_same_whatever_surrounds_it(
    root: Path, make_config: Callable[..., Config]
) -> None:
    """Batch size, threads, prefetch and ranks change nothing about a sample."""

    def config(**loader: int) -> Config:
        return make_config(root, augment={"crop_size": list(CROP)}, loader={"seed": 9, **loader})

    expected = samples_of(config(batch_size=3))
    assert len(expected) == 2 * len(encoded_voc.SIZES)
    for variation in (
        {"batch_size": 1},
        {"batch_size": 8},
        {"batch_size": 5, "threads": 1},
        {"batch_size": 3, "threads": 4, "prefetch": 5},
        {"batch_size": 2, "prefetch": 1},
    ):
        assert samples_of(config(**variation)) == expected, variation
    for world in 2, 3:
        together: dict[tuple[int, int], bytes] = {}
        for rank in range(world):
            together |= samples_of(config(batch_size=2, rank=rank, world_size=world))
        assert together == expected
    assert samples_of(config(batch_size=3, seed=10)) != expected


def test_loaders_of_one_seed_show_the_same_crops(make_config: Callable[..., Config]) -> None:
    """Colours, blur, noise and JPEG apart; so a weak and a strong view lie on each other."""
    shape = {"crop_size": [96, 128], "scale": [0.5, 2.0], "rotate": 10, "class_crop": 0.5}
    strong = {"brightness": 64, "hue": 60, "gray": 0.2, "blur": 0.2, "noise": 0.2, "jpeg": 0.2}
    as_bytes = {"dtype": "uint8"}  # so that untouched pictures are the same to the bit
    same = other = 0
    with (
        build_loader(make_config(augment=shape, normalize=as_bytes)) as teacher,
        build_loader(make_config(augment={**shape, **strong}, normalize=as_bytes)) as student,
    ):
        for _ in range(3):
            for (seen, truth), (changed, label) in zip(teacher, student, strict=True):
                assert torch.equal(truth, label)
                equal = [torch.equal(a, b) for a, b in zip(seen, changed, strict=True)]
                same += sum(equal)
                other += len(equal) - sum(equal)
    assert same > 0
    assert other > 20
