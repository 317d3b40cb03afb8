"""`decode_crop` against DALI's decoder: windows of JPEG files of all common kinds, bit-equal."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from augmented import write_lossless
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn
from PIL import Image

from dali_voc import build_loader, parse_config
from dali_voc._dali_errors import sentence_from_dali
from dali_voc.ops import decode_crop

PLAIN: dict[str, Any] = {
    **{"mean": (0, 0, 0), "std": (1, 1, 1), "dtype": "uint8"},
    **{"crop_size": None, "channels_last": True},
}


def smooth_noise(rng: np.random.Generator, height: int, width: int) -> Image.Image:
    small = rng.integers(0, 256, (height // 5 + 1, width // 5 + 1, 3)).astype(np.uint8)
    return Image.fromarray(small).resize((width, height))


def encode(image: Image.Image, **options: Any) -> np.ndarray:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return np.frombuffer(file.getvalue(), np.uint8)


def run(
    files: list[np.ndarray],
    windows: list[tuple[int, int, int, int]],
    *,
    threads: int = 2,
    **options: Any,
) -> list[np.ndarray]:
    """Ours; windows are (y, x, height, width)."""
    bounds = np.array(windows, np.int32)
    names = [np.frombuffer(f"file{i}".encode(), np.uint8) for i in range(len(files))]
    pipeline = Pipeline(batch_size=len(files), num_threads=threads, device_id=None)
    with pipeline:
        encoded, name, start, shape = fn.external_source(
            source=lambda: (files, names, bounds[:, :2].copy(), bounds[:, 2:].copy()),
            num_outputs=4,
        )
        unused = fn.external_source(
            source=lambda: [np.zeros((1, 1, 3), np.uint8)] * len(files), layout="HWC"
        )
        pipeline.set_outputs(
            decode_crop(
                encoded,
                name,
                unused,
                start=start,
                shape=shape,
                **(PLAIN | options),
            )
        )
    (result,) = pipeline.run()
    return [np.array(result[i]) for i in range(len(files))]


def decode_by_dali(files: list[np.ndarray]) -> list[np.ndarray]:
    pipeline = Pipeline(batch_size=len(files), num_threads=2, device_id=None)
    with pipeline:
        encoded = fn.external_source(source=lambda: files)
        pipeline.set_outputs(fn.decoders.image(encoded, device="cpu", adjust_orientation=False))
    (result,) = pipeline.run()
    return [np.array(result[i]) for i in range(len(files))]


@given(seed=st.integers(0, 2**32 - 1))
@example(seed=146434)  # windows one pixel wide, in 4:2:0
@example(seed=1004)
@settings(max_examples=25, deadline=None)
def test_windows_of_all_kinds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    files, windows = [], []
    for subsampling in ("4:4:4", "4:2:2", "4:2:0"):
        for progressive in (False, True):
            for gray in (False, True):
                height, width = (int(side) for side in rng.integers(1, 90, 2))
                image = smooth_noise(rng, height, width)
                quality = int(rng.choice([30, 85, 95, 100]))
                options: dict[str, Any] = {"progressive": progressive, "quality": quality}
                options["optimize"] = bool(rng.random() < 0.5)  # Huffman tables of its own
                if rng.random() < 0.3:  # long codes, and blocks without an end
                    image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
                if rng.random() < 0.5:
                    options["restart_marker_blocks"] = int(rng.integers(1, 12))
                if gray:
                    image = image.convert("L")
                else:
                    options["subsampling"] = subsampling
                files.append(encode(image, **options))
                y, x = int(rng.integers(height)), int(rng.integers(width))
                h, w = int(rng.integers(1, height - y + 1)), int(rng.integers(1, width - x + 1))
                windows.append((y, x, h, w))
    for ours, whole, (y, x, h, w) in zip(
        run(files, windows), decode_by_dali(files), windows, strict=True
    ):
        assert np.array_equal(ours, whole[y : y + h, x : x + w])


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_damaged_data_is_what_pillow_makes_of_it(seed: int) -> None:
    """Bits flipped in the coefficients: libjpeg goes on, and nothing of what it gives differs."""
    rng = np.random.default_rng(seed)
    files, windows, expected = [], [], []
    for _ in range(12):
        height, width = (int(side) for side in rng.integers(20, 120, 2))
        options: dict[str, Any] = {"quality": int(rng.integers(50, 101))}
        if rng.random() < 0.5:
            options["restart_marker_blocks"] = int(rng.integers(1, 12))
        file = encode(smooth_noise(rng, height, width), **options).copy()
        data = file.tobytes().index(b"\xff\xda") + 14
        for at in rng.integers(data, len(file) - 2, int(rng.integers(1, 4))):
            file[at] ^= 1 << int(rng.integers(8))
        try:
            with Image.open(io.BytesIO(file.tobytes())) as image:
                whole = np.array(image.convert("RGB"))
        except OSError:  # Pillow, not libjpeg, gives up
            continue
        y, x = int(rng.integers(height)), int(rng.integers(width))
        windows.append((y, x, height - y, int(rng.integers(1, width - x + 1))))
        files.append(file)
        expected.append(whole[y:, x : x + windows[-1][3]])
    for ours, theirs in zip(run(files, windows), expected, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_file_without_tables_does_not_get_those_of_another() -> None:
    """As frames of motion JPEG: the usual Huffman tables are meant."""
    image = smooth_noise(np.random.default_rng(0), 60, 70)
    usual = encode(image, quality=90)
    bare = usual.tobytes()
    while (at := bare.find(b"\xff\xc4")) >= 0:
        bare = bare[:at] + bare[at + 2 + int.from_bytes(bare[at + 2 : at + 4], "big") :]
    others = [encode(image, quality=q, optimize=True) for q in (30, 95)]
    order = [others[0], bare, usual, bare, others[1], bare]
    files = [np.frombuffer(file, np.uint8) for file in order]
    for threads in (1, 2):
        found = run(files, [(0, 0, 60, 70)] * len(files), threads=threads)
        for i in (1, 3, 5):
            assert np.array_equal(found[i], found[2])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file[: len(file) // 2].copy(), ""),  # libjpeg fills up with gray
        (lambda file: file[:3].copy(), "damaged JPEG: "),
        (lambda _: np.frombuffer(b"no picture", np.uint8), "this is neither JPEG nor PNG"),
    ],
)
def test_damage_names_the_sample(damage: Any, message: str) -> None:
    file = encode(smooth_noise(np.random.default_rng(0), 60, 70))
    windows = [(5, 6, 40, 50)] * 2
    if not message:
        assert run([file, damage(file)], windows)[1].shape == (40, 50, 3)
        return
    with pytest.raises(RuntimeError) as caught:
        run([file, damage(file)], windows)
    found = sentence_from_dali(caught.value)
    assert found is not None
    assert found[0] == 1
    assert message in found[1]
    assert "file1" in found[1]


def test_a_window_outside_the_picture_is_refused() -> None:
    file = encode(smooth_noise(np.random.default_rng(0), 60, 70))
    with pytest.raises(RuntimeError, match="the window lies outside the picture"):
        run([file], [(30, 6, 40, 50)])


def test_other_formats_go_through_dali(tmp_path: Path) -> None:
    """JPEG, CMYK JPEG, PNG and BMP under the names of JPEG files, in one batch."""
    root = write_lossless(tmp_path)
    paths = sorted((root / "JPEGImages").iterdir())
    names = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    kinds: list[dict[str, Any]] = [
        {"format": "JPEG", "quality": 90},
        {"format": "JPEG", "quality": 90, "mode": "CMYK"},
        {"format": "PNG"},
        {"format": "BMP"},
    ]
    expected = []
    for name, kind in zip(names, kinds, strict=True):
        path = root / f"JPEGImages/{name}.jpg"
        assert path in paths
        with Image.open(path) as image:
            image.convert(kind.pop("mode", "RGB")).save(path, **kind)
        expected += decode_by_dali([np.fromfile(path, np.uint8)])
    config = parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"validation": "full", "pad_multiple": 1},
            "normalize": {"dtype": "uint8"},
            "loader": {"device": "cpu", "batch_size": 4},
        }
    )
    with build_loader(config, split="val") as loader:
        batch = next(iter(loader))
    for image, (height, width), whole in zip(
        batch.images, batch.sizes.tolist(), expected, strict=True
    ):
        assert np.array_equal(image[:, :height, :width].permute(1, 2, 0), whole)
