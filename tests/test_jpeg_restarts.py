"""JPEG files that are rewritten with restart markers: the same pixels, and entered near windows."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from test_decode_crop import encode, run, smooth_noise

from dali_voc import Config, DatasetError, build_loader
from dali_voc.datasets.packed import read_index
from dali_voc.packing import add_jpeg_restarts, pack_split

MakeConfig = Callable[..., Config]
ORIENTATION = 0x0112


def markers(file: bytes) -> dict[str, Any]:
    """A plain walk: kind of frame, restart interval, markers within the data, and what follows."""
    found: dict[str, Any] = {"interval": 0, "restarts": []}
    at = 2
    while file[at + 1] != 0xDA:
        code, length = file[at + 1], int.from_bytes(file[at + 2 : at + 4], "big")
        if code == 0xDD:
            found["interval"] = int.from_bytes(file[at + 4 : at + 6], "big")
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            found["frame"] = code
        at += 2 + length
    at += 2 + int.from_bytes(file[at + 2 : at + 4], "big")
    while file[at + 1 : at + 2] != b"\xd9" or file[at] != 0xFF:
        if file[at] == 0xFF and 0xD0 <= file[at + 1] <= 0xD7:
            found["restarts"].append(file[at + 1] - 0xD0)
        at += 1
    found["after"] = len(file) - at - 2
    return found


def pixels(file: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(file)) as image:
        return np.array(image)


def any_picture(rng: np.random.Generator) -> tuple[np.ndarray, dict[str, Any], tuple[int, int]]:
    """A file, how it was made, and rows and columns of its MCUs."""
    height, width = (int(side) for side in rng.integers(1, 600, 2))
    image = smooth_noise(rng, height, width)
    options: dict[str, Any] = {
        "quality": int(rng.choice([30, 85, 100])),
        "progressive": bool(rng.random() < 0.3),
        "optimize": bool(rng.random() < 0.3),
    }
    if rng.random() < 0.3:
        options["restart_marker_blocks"] = int(rng.integers(1, 40))
    unit = (8, 8)
    if rng.random() < 0.2:
        image = image.convert("L")
    else:
        options["subsampling"] = str(rng.choice(["4:4:4", "4:2:2", "4:2:0"]))
        unit = {"4:4:4": (8, 8), "4:2:2": (8, 16), "4:2:0": (16, 16)}[options["subsampling"]]
    return encode(image, **options), options, (-(-height // unit[0]), -(-width // unit[1]))


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_pixels_and_windows_stay_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files, windows, expected = [], [], []
    for _ in range(4):
        file, options, mcus = any_picture(rng)
        rewritten = add_jpeg_restarts(file.tobytes())
        whole = pixels(file.tobytes())
        assert np.array_equal(pixels(rewritten), whole)
        found = markers(rewritten)
        before = options.get("restart_marker_blocks", 0)
        if 0 < before <= 16 and not options["progressive"]:
            assert rewritten == file.tobytes()
        else:
            assert (found["frame"], found["interval"], found["after"]) == (0xC0, 16, 0)
            count = (mcus[0] * mcus[1] - 1) // 16
            assert found["restarts"] == [i % 8 for i in range(count)]
        height, width = whole.shape[:2]
        y, x = int(rng.integers(height)), int(rng.integers(width))
        h, w = int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1))
        files.append(np.frombuffer(rewritten, np.uint8))
        windows.append((y, x, h, w))
        rgb = whole if whole.ndim == 3 else np.stack([whole] * 3, axis=2)
        expected.append(rgb[y : y + h, x : x + w])
    for ours, theirs in zip(run(files, windows), expected, strict=True):
        assert np.array_equal(ours, theirs)


def test_usual_tables_are_kept_and_others_are_made_anew() -> None:
    image = smooth_noise(np.random.default_rng(0), 300, 400)

    def tables(file: bytes) -> list[bytes]:
        at, found = 2, []
        while file[at + 1] != 0xDA:
            end = at + 2 + int.from_bytes(file[at + 2 : at + 4], "big")
            if file[at + 1] == 0xC4:
                found.append(file[at:end])
            at = end
        return found

    usual = encode(image).tobytes()
    assert b"".join(sorted(tables(add_jpeg_restarts(usual)))) == b"".join(sorted(tables(usual)))
    for options in ({"optimize": True}, {"progressive": True}):
        file = encode(image, **options).tobytes()
        rewritten = add_jpeg_restarts(file)
        assert tables(rewritten) != tables(add_jpeg_restarts(usual))
        assert len(rewritten) < 1.05 * len(encode(image, optimize=True))


def test_metadata_stays() -> None:
    image = smooth_noise(np.random.default_rng(0), 90, 70)
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    large = profile + bytes(100_000)  # two markers
    for icc in (profile, large):
        file = encode(
            image, exif=exif, icc_profile=icc, comment=b"a remark", dpi=(72, 73), keep_rgb=True
        ).tobytes()
        with (
            Image.open(io.BytesIO(file)) as before,
            Image.open(io.BytesIO(add_jpeg_restarts(file))) as after,
        ):
            assert after.getexif()[ORIENTATION] == 6
            assert after.info == before.info
            assert after.info["icc_profile"] == icc
            assert np.array_equal(np.array(after), np.array(before))


def bomb() -> bytes:
    file = bytearray(encode(smooth_noise(np.random.default_rng(0), 60, 70)))
    at = file.index(b"\xff\xc0") + 5
    file[at : at + 4] = b"\xff\xdc\xff\xdc"
    return bytes(file)


def rising(code: str) -> bytes:
    """Gray blocks, each brighter than the one before by what a code of the usual tables says."""
    file = encode(Image.new("L", (64, 8), 128), quality=100).tobytes()
    scan = file.index(b"\xff\xda") + 10
    bits = (code + "1010") * 8  # and the end of the block
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return file[:scan] + data.replace(b"\xff", b"\xff\0") + b"\xff\xd9"


RISE_BY_1023, RISE_BY_1 = "11111110" + "1" * 10, "010" + "1"


def test_blocks_that_become_brighter() -> None:
    file = rising(RISE_BY_1)
    rewritten = add_jpeg_restarts(file)
    assert markers(rewritten)["interval"] == 16
    assert np.array_equal(pixels(rewritten), pixels(file))
    assert (pixels(rising(RISE_BY_1023)) == 255).all()


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\xff\xd8",
        b"no picture",
        encode(smooth_noise(np.random.default_rng(0), 60, 70)).tobytes()[:-40],
        encode(smooth_noise(np.random.default_rng(0), 600, 700)).tobytes()[:30_000],
        encode(smooth_noise(np.random.default_rng(0), 60, 70).convert("CMYK")).tobytes(),
        bomb(),
        encode(smooth_noise(np.random.default_rng(0), 60, 70)).tobytes() + b"more",
        rising(RISE_BY_1023),
    ],
    ids=[
        *("nothing", "a start", "text", "cut short", "cut in the middle", "CMYK", "huge"),
        *("more behind it", "values that add up to too much"),
    ],
)
def test_what_is_better_left_as_it_is(file: bytes) -> None:
    assert add_jpeg_restarts(file) is file


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=100, deadline=None)
def test_damage_is_never_made_into_a_sound_file(seed: int) -> None:
    """Bytes anywhere are changed: what comes out has the pixels that Pillow sees before."""
    rng = np.random.default_rng(seed)
    file = any_picture(rng)[0].copy()
    for at in rng.integers(2, len(file), int(rng.integers(1, 4))):
        file[at] ^= 1 << int(rng.integers(8))
    rewritten = add_jpeg_restarts(file.tobytes())
    if rewritten != file.tobytes():
        assert np.array_equal(pixels(rewritten), pixels(file.tobytes()))


def batches(config: Config) -> list[torch.Tensor]:
    with build_loader(config, split="train") as loader:
        return [tensor.clone() for _ in range(2) for batch in loader for tensor in batch]


def test_packed(make_config: MakeConfig, tmp_path: Path) -> None:
    """The same batches, to the bit; and no pack is taken for one of the other kind."""
    augment = {"crop_size": [100, 120], "scale": [0.5, 2.0], "hue": 20.0}
    pack_split(make_config(), tmp_path / "plain")
    pack = functools.partial(pack_split, make_config(), tmp_path / "restarts")
    pack(jpeg_restarts=True)
    assert read_index(tmp_path / "restarts/train").made_from.jpeg_restarts == 16
    stored = [(tmp_path / f"{kind}/train/shard-00000.pack") for kind in ("plain", "restarts")]
    assert [b"\xff\xdd\x00\x04\x00\x10" in path.read_bytes() for path in stored] == [False, True]
    expected = batches(make_config(augment=augment))
    packed = {"name": "packed", "root": str(tmp_path / "restarts")}
    found = batches(make_config(augment=augment, dataset=packed))
    assert len(found) == len(expected) > 0
    assert all(map(torch.equal, found, expected))
    pack(jpeg_restarts=True)  # is there already
    with pytest.raises(DatasetError, match=r"packed in another way \(jpeg_restarts 16, not 0"):
        pack()
