"""PNG photographs through `decode_crop` and through whole loaders, against DALI's own decoder."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from augmented import load, make, write_lossless
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from png_writer import CHANNELS, GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, write_png
from test_decode_crop import decode_by_dali, run

from dali_voc._dali_errors import sentence_from_dali
from dali_voc.pipeline import _pairs

KINDS = [(GRAY, d) for d in (1, 2, 4, 8)] + [(PALETTE, d) for d in (1, 2, 4, 8)]
KINDS += [(RGB, 8), (GRAY_ALPHA, 8), (RGBA, 8)]
OTHERS = [(GRAY, 16, False), (RGB, 16, False), (RGBA, 16, False), (RGB, 8, True), (GRAY, 4, True)]


def photograph(
    rng: np.random.Generator,
    color: int,
    depth: int,
    shape: tuple[int, int],
    *,
    interlaced: bool = False,
) -> np.ndarray:
    values = rng.integers(0, 2**depth, (*shape, CHANNELS[color]))
    palette = [(i * 5 % 256, i * 3 % 256, i * 7 % 256) for i in range(2 ** min(depth, 8))]
    filters = [int(f) for f in rng.integers(0, 5, shape[0])]
    file = write_png(
        values, color=color, depth=depth, palette=palette, filters=filters, interlaced=interlaced
    )
    return np.frombuffer(file, np.uint8)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_windows_of_all_kinds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files, windows = [], []
    for color, depth in KINDS:
        height, width = (int(side) for side in rng.integers(1, 40, 2))
        files.append(photograph(rng, color, depth, (height, width)))
        y, x = int(rng.integers(height)), int(rng.integers(width))
        h, w = int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1))
        windows.append((y, x, h, w))
    flips = {"flip": int(rng.integers(2)), "vertical_flip": int(rng.integers(2))}
    results = run(files, windows, **flips)
    for ours, whole, (y, x, h, w) in zip(results, decode_by_dali(files), windows, strict=True):
        expected = whole[y : y + h, x : x + w]
        expected = expected[:, ::-1] if flips["flip"] else expected
        assert np.array_equal(ours, expected[::-1] if flips["vertical_flip"] else expected)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("flip", [0, 1])
def test_padding_of_bytes(flip: int, channels_last: bool) -> None:
    """Bytes that stay as they are take a way of their own to the crop."""
    rng = np.random.default_rng(0)
    file = photograph(rng, RGB, 8, (20, 30))
    (whole,) = decode_by_dali([file])
    options = {"crop_size": (19, 24), "fill": (1, 2, 3), "flip": flip, "vertical_flip": 1}
    (ours,) = run([file], [(3, 4, 11, 17)], channels_last=channels_last, **options)
    expected = np.full((19, 24, 3), (1, 2, 3))
    expected[:11, :17] = whole[3:14, 4:21]
    expected = expected[::-1, ::-1] if flip else expected[::-1]
    assert np.array_equal(ours, expected if channels_last else expected.transpose(2, 0, 1))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: f[: len(f) // 2], "truncated PNG: the file ends inside a chunk"),
        (lambda f: f[:40], "truncated PNG"),
        (lambda f: np.where(np.arange(len(f)) == 70, f ^ 1, f), "checksum (CRC) is wrong"),
    ],
)
@pytest.mark.parametrize("window", [(0, 0, 1, 1), (10, 6, 40, 50), (59, 69, 1, 1)])
def test_damage_names_the_sample(damage: Any, message: str, window: Any) -> None:
    file = photograph(np.random.default_rng(0), RGB, 8, (60, 70))
    with pytest.raises(RuntimeError) as caught:
        run([file, damage(file).copy()], [window] * 2)
    found = sentence_from_dali(caught.value)
    assert found is not None
    assert found[0] == 1
    assert message in found[1]


def test_a_window_outside_the_picture_is_refused() -> None:
    file = photograph(np.random.default_rng(0), RGB, 8, (60, 70))
    with pytest.raises(RuntimeError, match="the window lies outside the picture"):
        run([file], [(30, 6, 40, 50)])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Photographs of all kinds, those that are left to DALI too, under the names of JPEG files."""
    root = write_lossless(tmp_path)
    rng = np.random.default_rng(0)
    kinds = [(color, depth, False) for color, depth in KINDS] + OTHERS
    for i, path in enumerate(sorted((root / "JPEGImages").iterdir())):
        color, depth, interlaced = kinds[i % len(kinds)]
        width, height = Image.open(path).size
        # noise above, and nothing below: the plain writer is slow
        file = photograph(rng, color, depth, (24, width), interlaced=interlaced)
        small = Image.open(io.BytesIO(file.tobytes()))
        picture = Image.new(small.mode, (width, height))
        picture.putpalette(small.getpalette() or []) if small.mode == "P" else None
        for y in range(0, height, 24):
            picture.paste(small, (0, y))
        if interlaced or depth == 16:
            path.write_bytes(file.tobytes())
            _cut_label(root, path, (24, width))
        else:
            picture.save(path, "PNG")
    return root


def _cut_label(root: Path, path: Path, shape: tuple[int, int]) -> None:
    label = root / f"SegmentationClass/{path.stem}.png"
    Image.open(label).crop((0, 0, shape[1], shape[0])).save(label)


@pytest.mark.parametrize(
    "augment",
    [
        {"crop_size": [96, 120]},
        {"crop_size": [96, 120], "scale": [0.5, 2.0], "brightness": 20.0, "vertical_flip": 0.5},
        {"crop_size": [96, 120], "rotate": 20.0},
    ],
)
def test_batches_are_those_of_dalis_decoder(
    root: Path, augment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = load(make(root, **augment))
    decode_label = _pairs.decode_label

    def never_common(*inputs: Any, **options: Any) -> Any:
        nodes = decode_label(*inputs, **options)
        return nodes._replace(is_common=nodes.is_common * 0)

    monkeypatch.setattr(_pairs, "decode_label", never_common)
    dalis = load(make(root, **augment))
    assert ours[0].std() > 20
    for mine, other in zip(ours, dalis, strict=True):
        assert np.array_equal(mine, other)
