"""Pictures in other files than JPEG and PNG, as docs/label-formats.md says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from whole_labels import load_pairs, write_label

from dali_voc import SampleError

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (37, 53, 3), np.uint8)
GRAY = RNG.integers(0, 256, (37, 53), np.uint8)
ALPHA = np.dstack([RGB, GRAY])


def load(root: Path, picture: np.ndarray, name: str, **options: Any) -> np.ndarray:
    (root / "i").mkdir()
    Image.fromarray(picture).save(root / "i" / name, **options)
    write_label(root / "m" / f"{Path(name).stem}.png", np.zeros(picture.shape[:2]))
    keys = {"images": f"i/*{Path(name).suffix}", "masks": "m/*.png", "classes": ["a", "b"]}
    ((image, _),) = load_pairs("folder", root, "train", **keys)
    return image


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.bmp", {}),
        ("a.tif", {}),
        ("a.tiff", {"compression": "tiff_lzw"}),
        ("a.tif", {"compression": "tiff_adobe_deflate"}),
        ("a.webp", {"lossless": True}),
        ("a.jp2", {"irreversible": False}),
        ("a.ppm", {}),
        ("a.png", {}),
    ],
)
def test_without_loss(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    assert np.array_equal(load(tmp_path, RGB, name, **options), RGB)


@pytest.mark.parametrize("name", ["a.bmp", "a.tif", "a.pgm", "a.png", "a.jp2"])
def test_gray_three_times(tmp_path: Path, name: str) -> None:
    found = load(tmp_path, GRAY, name)
    assert np.array_equal(found, np.dstack([GRAY] * 3))


@pytest.mark.parametrize(("name", "options"), [("a.png", {}), ("a.tif", {})])
def test_alpha_is_dropped(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    assert np.array_equal(load(tmp_path, ALPHA, name, **options), RGB)


def test_16_bits_become_eight(tmp_path: Path) -> None:
    wide = RNG.integers(0, 65536, (37, 53), dtype=np.uint16)
    found = load(tmp_path, wide, "a.png")
    assert np.abs(found.astype(int) - np.dstack([wide] * 3) / 257).max() <= 1


def test_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"a\.gif: DALI cannot decode this image \(GIF"):
        load(tmp_path, GRAY, "a.gif")
