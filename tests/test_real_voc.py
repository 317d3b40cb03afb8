"""All real samples: labels bit-equal to Pillow, images equal to DALI's plain decode and slice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from nvidia.dali import Pipeline, fn
from PIL import Image

from dali_voc import Config, build_loader
from dali_voc.randomness import Stream, uniform

MEAN = np.array([0.485, 0.456, 0.406])
STD = np.array([0.229, 0.224, 0.225])
CROP = (320, 480)


def decode_by_dali(paths: list[str]) -> list[np.ndarray]:
    pipeline = Pipeline(batch_size=len(paths), num_threads=2, device_id=None)
    with pipeline:
        files, _ = fn.readers.file(files=paths)
        pipeline.set_outputs(fn.decoders.image(files, device="cpu", adjust_orientation=False))
    (pictures,) = pipeline.run()
    return [np.array(pictures[i]) for i in range(len(paths))]


def place(
    picture: np.ndarray, position: tuple[float, float], *, flip: bool, fill: float
) -> np.ndarray:
    places = [max(size - c, 0) + 1 for size, c in zip(picture.shape, CROP, strict=False)]
    y, x = (int(u * k) for u, k in zip(position, places, strict=True))
    window = picture[y : y + CROP[0], x : x + CROP[1]]
    out = np.full((*CROP, *picture.shape[2:]), fill, np.float64)
    out[: window.shape[0], : window.shape[1]] = window
    return out[:, ::-1] if flip else out


@pytest.mark.parametrize(("split", "palette"), [("train", "color"), ("val", "index")])
def test_batches(
    real_voc: Path, make_config: Callable[..., Config], split: str, palette: str
) -> None:
    config = make_config(
        real_voc, loader={"batch_size": 24, "seed": 3}, labels={"palette": palette}
    )
    names = (real_voc / f"ImageSets/Segmentation/{split}.txt").read_text().split()
    n = len(names)
    samples = np.arange(n)
    if split == "train":
        crops = uniform(seed=3, epoch=0, samples=samples, stream=Stream.CROP)[:, :2]
        flips = uniform(seed=3, epoch=0, samples=samples, stream=Stream.FLIP)[:, 0] < 0.5
        from dali_voc.order import epoch_order

        order = epoch_order(num_samples=n, shuffle=True, seed=3, epoch=0)
    else:
        crops, flips, order = np.full((n, 2), 0.5), np.zeros(n, bool), samples
    done = 0
    with build_loader(config, split=split) as loader:
        for images, labels in loader:
            members = order[done : done + len(images)]
            done += len(images)
            pictures = decode_by_dali([f"{real_voc}/JPEGImages/{names[i]}.jpg" for i in members])
            for i, picture, image, label in zip(members, pictures, images, labels, strict=True):
                indices = np.array(Image.open(real_voc / f"SegmentationClass/{names[i]}.png"))
                position = (float(crops[i, 0]), float(crops[i, 1]))
                expected = place(indices, position, flip=flips[i], fill=255)
                assert np.array_equal(label.numpy(), expected), names[i]
                normal = (picture / 255 - MEAN) / STD
                expected = place(normal, position, flip=flips[i], fill=0).transpose(2, 0, 1)
                # the same integers; two float32 roundings of values below 3
                np.testing.assert_allclose(image.numpy(), expected, rtol=0, atol=1e-6)
    assert done == n


def test_whole_labels(real_voc: Path, make_config: Callable[..., Config]) -> None:
    """Every pixel of every label, by colour."""
    config = make_config(real_voc, augment={"crop_size": [500, 500]}, loader={"batch_size": 52})
    names = (real_voc / "ImageSets/Segmentation/trainval.txt").read_text().split()
    done = 0
    with build_loader(config, split="trainval", training=False) as loader:
        for _, labels in loader:
            for label in labels:
                indices = np.array(Image.open(real_voc / f"SegmentationClass/{names[done]}.png"))
                height, width = indices.shape
                expected = torch.full((500, 500), 255)
                expected[:height, :width] = torch.from_numpy(indices)
                assert torch.equal(label, expected), names[done]
                done += 1
    assert done == len(names) == 364
