"""Pictures in other files than JPEG and PNG, as docs/label-formats.md says of them."""

from __future__ import annotations

import struct
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
    (root / "i").mkdir(parents=True)
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


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_gray_with_alpha(tmp_path: Path, compression: str | None, big: bool) -> None:
    """DALI makes gray, alpha and what lies behind the picture of it."""
    both = np.dstack([GRAY, RGB[..., 0]])
    assert np.array_equal(load(tmp_path / "png", both, "a.png"), np.dstack([GRAY] * 3))
    assert np.array_equal(
        load(tmp_path / "webp", both, "a.webp", lossless=True, exact=True), np.dstack([GRAY] * 3)
    )
    with pytest.raises(SampleError, match=r"a\.tif: TIFF of two channels, gray and alpha, expect"):
        load(tmp_path / "tif", both, "a.tif", compression=compression, big_tiff=big)


def test_tiff_of_the_other_byte_order(tmp_path: Path) -> None:
    """By hand: 2x2 pixels of gray and alpha, most significant byte first."""
    tags = [(256, 3, 2), (257, 3, 2), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 2), (278, 3, 2), (279, 4, 8)]
    entries = b"".join(
        struct.pack(
            ">HHIHH" if kind == 3 else ">HHII", tag, kind, 1, *((v, 0) if kind == 3 else (v,))
        )
        for tag, kind, v in tags
    )
    file = b"MM\0*" + struct.pack(">I", 16) + bytes(8) + struct.pack(">H", len(tags)) + entries
    (tmp_path / "i").mkdir()
    (tmp_path / "i/a.tif").write_bytes(file + bytes(4))
    write_label(tmp_path / "m/a.png", np.zeros((2, 2)))
    keys = {"images": "i/*.tif", "masks": "m/*.png", "classes": ["a", "b"]}
    with pytest.raises(SampleError, match=r"a\.tif: TIFF of two channels"):
        load_pairs("folder", tmp_path, "train", **keys)


def test_16_bits_become_eight(tmp_path: Path) -> None:
    wide = RNG.integers(0, 65536, (37, 53), dtype=np.uint16)
    found = load(tmp_path, wide, "a.png")
    assert np.abs(found.astype(int) - np.dstack([wide] * 3) / 257).max() <= 1


def test_others_are_named(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"a\.gif: DALI cannot decode this image \(GIF"):
        load(tmp_path, GRAY, "a.gif")
