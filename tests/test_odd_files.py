"""Kinds of files that a fuzzer found to be misread, refused, or to take for ever."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_decode_crop import encode, run, smooth_noise
from whole_labels import load_labels, load_pairs, write_image, write_label

from dali_voc import SampleError, build_loader, parse_config
from dali_voc.packing import add_jpeg_restarts

PICTURE = smooth_noise(np.random.default_rng(0), 90, 130)
END = b"\xff\xd9"
COMMENT = b"\xff\xfe\x00\x06made"
FOLDER = {"images": "i/*.jpg", "masks": "m/*.png", "classes": ["a"]}


def segment(code: int, body: bytes) -> bytes:
    return bytes([0xFF, code]) + struct.pack(">H", len(body) + 2) + body


def scans(file: bytes) -> list[int]:
    """Where the scans begin, of a file whose data holds no such marker."""
    return [at for at in range(len(file) - 1) if file[at : at + 2] == b"\xff\xda"]


def first_scan_alone(file: bytes) -> bytes:
    """A progressive file that ends after its first scan, as if that were all."""
    rest = file.index(b"\xff", scans(file)[0] + 14)
    while file[rest + 1] == 0:
        rest = file.index(b"\xff", rest + 1)
    return file[:rest] + END


def write_pair(root: Path, image: bytes, shape: tuple[int, int]) -> None:
    write_label(root / "m/a.png", np.zeros(shape))
    (root / "i").mkdir()
    (root / "i/a.jpg").write_bytes(image)


def test_a_comment_behind_the_data(tmp_path: Path) -> None:
    file = encode(PICTURE).tobytes()
    write_pair(tmp_path, file[:-2] + COMMENT + END, (90, 130))
    [(image, _)] = load_pairs("folder", tmp_path, "train", **FOLDER)
    assert np.array_equal(image, np.array(Image.open(io.BytesIO(file))))


def test_a_comment_and_no_end(tmp_path: Path) -> None:
    write_pair(tmp_path, encode(PICTURE).tobytes()[:-2] + COMMENT, (90, 130))
    with pytest.raises(SampleError, match=r"a\.jpg: truncated JPEG: the file ends before its end"):
        load_pairs("folder", tmp_path, "train", **FOLDER)


@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_windows_of_a_progressive_file_that_is_not_complete(subsampling: int) -> None:
    """libjpeg smooths such files, by what lies around."""
    file = first_scan_alone(
        encode(PICTURE, progressive=True, subsampling=subsampling, quality=60).tobytes()
    )
    bytes_ = np.frombuffer(file, np.uint8)
    # not Pillow's: what is made up differs between versions of libjpeg
    [whole] = run([bytes_], [(0, 0, 90, 130)])
    windows = [(y, x, 20, 30) for y in (0, 17, 64) for x in (0, 5, 17, 35, 50, 99)]
    found = run([bytes_] * len(windows), windows)
    for (y, x, height, width), crop in zip(windows, found, strict=True):
        assert np.array_equal(crop, whole[y : y + height, x : x + width])
    assert add_jpeg_restarts(file) is file


def test_components_without_a_scan() -> None:
    gray = encode(PICTURE.convert("L")).tobytes()
    at = gray.index(b"\xff\xc0")
    frame = gray[at + 4 : at + 9] + b"\x03" + b"".join(bytes([k, 0x11, 0]) for k in (1, 2, 3))
    file = gray[:at] + segment(0xC0, frame) + gray[at + 2 + 11 :]
    assert add_jpeg_restarts(file) is file


def test_what_stands_behind_the_data_does_not_go_before_it() -> None:
    file = encode(PICTURE, keep_rgb=True).tobytes()
    jfif = segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
    odd = file[:-2] + jfif + END
    assert b"JFIF" not in file
    assert add_jpeg_restarts(odd) is odd
    assert add_jpeg_restarts(file) is not file


@pytest.mark.parametrize(("times", "is_refused"), [(400, False), (600, True)])
def test_hundreds_of_scans(tmp_path: Path, times: int, is_refused: bool) -> None:
    """Each costs a pass over the picture, and may have next to no bytes."""
    file = encode(PICTURE, progressive=True).tobytes()
    begin = scans(file)[-1]
    last = file[begin:-2]
    odd = file[:begin] + last * (times - len(scans(file)) + 1) + END
    assert len(scans(odd)) == times
    write_pair(tmp_path, odd, (90, 130))
    if is_refused:
        with pytest.raises(SampleError, match=r"a\.jpg: damaged JPEG: more than 500 scans"):
            load_pairs("folder", tmp_path, "train", **FOLDER)
    else:
        assert len(load_pairs("folder", tmp_path, "train", **FOLDER)) == 1


def test_gigantic_claims() -> None:
    file = bytearray(encode(PICTURE, progressive=True).tobytes())
    at = file.index(b"\xff\xc2")
    file[at + 5 : at + 9] = struct.pack(">HH", 60_000, 60_000)
    with pytest.raises(RuntimeError, match="60000x60000 pixels, expected at most 134217728"):
        run([np.frombuffer(bytes(file), np.uint8)], [(0, 0, 10, 10)])


def test_claims_that_a_file_has_not_the_bytes_for(tmp_path: Path) -> None:
    """Decoding would take a gigabyte."""
    file = bytearray(encode(Image.new("RGB", (16, 16)), progressive=True).tobytes())
    at = file.index(b"\xff\xc2")
    file[at + 5 : at + 9] = struct.pack(">HH", 3000, 4000)
    write_pair(tmp_path, bytes(file), (3000, 4000))
    with pytest.raises(SampleError, match=r"a\.jpg: truncated JPEG: too little data for the size"):
        load_pairs("folder", tmp_path, "train", **FOLDER)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_single_colour_in_few_bytes(tmp_path: Path, progressive: bool, subsampling: int) -> None:
    """As few bits a block as there can be."""
    options = {"progressive": progressive, "subsampling": subsampling, "optimize": True}
    file = io.BytesIO()
    Image.new("RGB", (3000, 2000)).save(file, "JPEG", **options)
    write_pair(tmp_path, file.getvalue(), (2000, 3000))
    ((image, _),) = load_pairs("folder", tmp_path, "train", **FOLDER)
    assert image.shape == (2000, 3000, 3)
    assert (image == 0).all()


def test_long_labels_are_not_scaled_beyond_measure(tmp_path: Path) -> None:
    write_label(tmp_path / "m/a.png", np.zeros((4, 2_000_000)))
    write_label(tmp_path / "i/a.jpg", np.zeros((4, 2_000_000)))
    tree = {
        "dataset": {"name": "folder", "root": str(tmp_path), **FOLDER},
        "augment": {"validation": "resize", "shorter_side": 300},
        "loader": {"device": "cpu"},
    }
    expected = r"m/a\.png: scaled, the picture would have 150000000x300 "
    with (
        build_loader(parse_config(tree), split="train", training=False) as loader,
        pytest.raises(SampleError, match=expected),
    ):
        next(iter(loader))


@pytest.mark.parametrize(("blends", "told"), [(8, False), (9, True)])
def test_many_unknown_colours_are_of_smooth_edges(tmp_path: Path, blends: int, told: bool) -> None:
    """As programs paint that smooth an edge between two classes."""
    colors = np.zeros((4, 12, 3))
    colors[:, 1 : 1 + blends, 0] = np.linspace(3, 120, blends).astype(int)
    colors[:, 10:, 0] = 128
    write_label(tmp_path / "m/a.png", colors)
    write_image(tmp_path / "i/a.jpg", (4, 12))
    with pytest.raises(SampleError, match=rf"and {blends - 1} more unknown in ") as error:
        load_labels("folder", tmp_path, "train", **{**FOLDER, "classes": ["a", "b"]})
    assert ("; so many are of smooth edges (docs/annotation-tools.md)" in str(error.value)) == told


def test_unknown_colours_without_number(tmp_path: Path) -> None:
    """A photograph in the place of a label."""
    colors = np.arange(90 * 2000).reshape(90, 2000)
    pixels = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=2)
    write_label(tmp_path / "m/a.png", np.concatenate([pixels, pixels[:1]]))
    write_label(tmp_path / "i/a.jpg", np.zeros((91, 2000)))
    with pytest.raises(
        SampleError,
        match=r"a\.png: colour .* found in 2 pixels, and at least 65535 more unknown in 181",
    ):
        load_labels("folder", tmp_path, "train", **FOLDER)
