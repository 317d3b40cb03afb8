"""The textbook's pieces against plain loops, and the fast path against the textbook."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import load_data_voc
from dali_voc.datasets.voc import VOC_BORDER_COLOR
from dali_voc.reference import (
    VOC_CLASSES,
    VOC_COLORMAP,
    VOCSegDataset,
    VOCSegFiles,
    read_voc_images,
    voc_colormap2label,
    voc_label_indices,
    voc_rand_crop,
)


def test_colormap2label() -> None:
    table = voc_colormap2label()
    assert table.shape == (256**3,)
    assert int((table > 0).sum()) == 20
    for index, (r, g, b) in enumerate(VOC_COLORMAP):
        assert table[r * 65536 + g * 256 + b] == index


def test_label_indices_against_a_loop(voc: Path) -> None:
    path = next((voc / "SegmentationClass").glob("*.png"))
    rgb = np.array(Image.open(path).convert("RGB"))
    found = voc_label_indices(torch.from_numpy(rgb).permute(2, 0, 1), voc_colormap2label())
    for y in range(0, rgb.shape[0], 7):
        for x in range(0, rgb.shape[1], 5):
            color = rgb[y, x].tolist()
            assert found[y, x] == (VOC_COLORMAP.index(color) if color in VOC_COLORMAP else 0)


def test_read_images(voc: Path) -> None:
    features, labels = read_voc_images(voc, is_train=False)
    assert len(features) == len(labels) == 7
    for feature, label in zip(features, labels, strict=True):
        assert feature.shape == label.shape
        assert feature.dtype == torch.uint8


def test_rand_crop_cuts_both_alike() -> None:
    y, x = torch.meshgrid(torch.arange(20), torch.arange(30), indexing="ij")
    picture = torch.stack([y, x, y])
    for _ in range(50):
        feature, label = voc_rand_crop(picture, picture, 5, 7)
        assert torch.equal(feature, label)
        assert feature.shape == (3, 5, 7)
        assert torch.equal(feature[0, :, 0] - feature[0, 0, 0], torch.arange(5))


def test_dataset_drops_small_pictures(voc: Path) -> None:
    dataset = VOCSegDataset(True, (320, 480), voc)
    assert len(dataset) == 8
    image, label = dataset[0]
    assert (image.dtype, image.shape) == (torch.float32, (3, 320, 480))
    assert (label.dtype, label.shape) == (torch.int64, (320, 480))


def test_files_dataset_pads(voc: Path) -> None:
    dataset = VOCSegFiles("train", (320, 480), voc)
    assert len(dataset) == 14
    for image, label in (dataset[i] for i in range(14)):
        assert image.shape == (3, 320, 480)
        assert ((label <= 20) | (label == 255)).all()
    assert (dataset[6][1] == 255).sum() > 320 * 480 / 2


def test_load_data_voc_keeps_the_textbooks_conventions(voc: Path) -> None:
    train_iter, test_iter = load_data_voc(3, (320, 480), root=voc)
    with train_iter, test_iter:
        # 8 of 14 and 4 of 7 are large enough; short batches are dropped
        assert (len(train_iter), len(test_iter)) == (2, 1)
        for iterator in train_iter, test_iter:
            for images, labels in iterator:
                assert (images.shape, labels.shape) == ((3, 3, 320, 480), (3, 320, 480))
                assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
                assert labels.max() < len(VOC_CLASSES)


def test_load_data_voc_against_the_textbook(voc: Path) -> None:
    """The same pictures, cut by hand at the centre: labels equal, images as the JPEG decoders."""
    _, test_iter = load_data_voc(4, (320, 480), root=voc)
    features, colors = read_voc_images(voc, is_train=False)
    reference = VOCSegDataset(False, (320, 480), voc)
    with test_iter:
        ((images, labels),) = list(test_iter)
    large = [i for i, f in enumerate(features) if f.shape[1] >= 320 and f.shape[2] >= 480]
    for i, image, label in zip(large, images, labels, strict=True):
        top, left = (
            (s - c + 1) // 2 for s, c in zip(features[i].shape[1:], (320, 480), strict=True)
        )
        window = (slice(top, top + 320), slice(left, left + 480))
        rgb = colors[i][:, window[0], window[1]]
        assert (rgb.permute(1, 2, 0) == torch.tensor(VOC_BORDER_COLOR)).all(2).any()
        assert torch.equal(label, voc_label_indices(rgb, reference.colormap2label))
        expected = reference.normalize_image(features[i])[:, window[0], window[1]]
        # Pillow's libjpeg-turbo and DALI's agree to 2 of 255 here
        assert (image - expected).abs().max() < 2.1 / 255 / 0.224


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (read_voc_images, ["voc_dir", "is_train"]),
        (voc_label_indices, ["colormap", "colormap2label"]),
        (voc_rand_crop, ["feature", "label", "height", "width"]),
        (VOCSegDataset.__init__, ["self", "is_train", "crop_size", "voc_dir"]),
    ],
)
def test_signatures_are_the_textbooks(function: object, names: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == names  # type: ignore[arg-type]
