"""JPEG pairs whose pixels say which sample they are of and which class their label has.

Luma is constant on cells of 8x8 pixels, the blocks of JPEG, and encodes the class; chroma is
constant on the whole picture and encodes the sample. Neither bleeds over the edge of a block, so
both survive JPEG. Classes of cells follow no pattern: any shift, flip or exchange of one of the
two pictures makes them differ at once.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from dali_voc.benchmarking import Item
from dali_voc.config import Config
from dali_voc.errors import LoaderError
from dali_voc.labels import voc_colormap
from dali_voc.pictures import denormalize

__all__ = ["SIZES", "check_batch", "write_encoded_voc"]

# height, width; some smaller than the crop of the check in one or both directions
SIZES = ((90, 120), (64, 64), (120, 90), (64, 200), (50, 70), (100, 40), (63, 65), (150, 150)) * 3
_CHROMA = [(b, r) for b in (-16, -8, 0, 8, 16) for r in (-16, -8, 0, 8, 16)]
_LOWEST, _STEP = 50, 7  # luma of class 0, and from class to class


def write_encoded_voc(root: Path) -> Path:
    """Write one pair per size in VOC's layout, split train; returns the root."""
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    palette = [value for color in voc_colormap(256) for value in color]
    for sample, (height, width) in enumerate(SIZES):
        rng = np.random.default_rng(sample)
        cells = rng.integers(21, size=(-(-height // 8), -(-width // 8)))
        classes = cells.repeat(8, axis=0).repeat(8, axis=1)[:height, :width].astype(np.uint8)
        planes = [_LOWEST + _STEP * classes]
        planes += [np.full_like(classes, 128 + value) for value in _CHROMA[sample]]
        picture = Image.fromarray(np.stack(planes, axis=2), "YCbCr")
        picture.save(
            root / f"JPEGImages/s{sample:02d}.jpg", quality=100, subsampling=2 * (sample % 2)
        )
        label = Image.fromarray(classes, "P")
        label.putpalette(palette)
        label.save(root / f"SegmentationClass/s{sample:02d}.png")
    names = "".join(f"s{sample:02d}\n" for sample in range(len(SIZES)))
    (root / "ImageSets/Segmentation/train.txt").write_text(names)
    return root


def check_batch(item: Item, config: Config) -> list[int]:
    """Demand that every pixel of the images has the class that its label says.

    Returns:
        The samples of the batch.

    Raises:
        LoaderError: says which sample is wrong, and in how many pixels.
    """
    if isinstance(item, int):
        raise LoaderError("found a number of pairs, expected images and labels")
    images, labels = item[0].cpu().clone(), item[1].cpu().numpy()
    shown = denormalize(images, config.normalize).astype(np.float64)
    return [
        _check_pair(pixels, label, image)
        for pixels, label, image in zip(shown, labels, images, strict=True)
    ]


def _check_pair(
    pixels: npt.NDArray[np.float64], label: npt.NDArray[np.int64], image: torch.Tensor
) -> int:
    inside = label != 255
    if not inside.any():
        raise LoaderError("a label is nothing but padding, expected a part of a picture")
    luma = pixels @ (0.299, 0.587, 0.114)
    blue = float((pixels[..., 2] - luma)[inside].mean()) / 1.772
    red = float((pixels[..., 0] - luma)[inside].mean()) / 1.402
    sample = min(
        range(len(_CHROMA)),
        key=lambda i: (blue - _CHROMA[i][0]) ** 2 + (red - _CHROMA[i][1]) ** 2,
    )
    wrong = int((((luma - _LOWEST) / _STEP).round() != label)[inside].sum())
    if wrong:
        raise LoaderError(f"sample {sample}: {wrong} pixels do not belong to their label")
    height, width = (min(s, c) for s, c in zip(SIZES[sample], label.shape, strict=True))
    if inside.sum() != height * width:
        raise LoaderError(
            f"sample {sample}: {int(inside.sum())} pixels of the picture, expected {height * width}"
        )
    if float(image[:, torch.from_numpy(~inside)].abs().sum()) > 0.02 * float((~inside).sum()):
        raise LoaderError(f"sample {sample}: padding is not the mean colour")
    return sample
