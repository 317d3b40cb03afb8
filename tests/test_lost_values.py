"""A warning where pictures hold more than 8 bits of red, green and blue can show."""

from __future__ import annotations

import logging
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from png_writer import GRAY, RGB, RGBA, write_png
from whole_labels import write_label

from dali_voc import SampleError, build_loader, parse_config
from dali_voc.datasets import find_index
from dali_voc.datasets._lost_values import warn_of_lost_values
from dali_voc.verifying import verify_split

RNG = np.random.default_rng(3)


def write_tiff(planes: np.ndarray, *, planar: bool = False, extra: int | None = None) -> bytes:
    """A TIFF by hand, little-endian, uncompressed, in one strip (or one for each plane).

    `planes` are [channels, height, width]; `extra` is what is said of channels after the third.
    """
    n, height, width = planes.shape
    data = planes if planar else np.ascontiguousarray(planes.transpose(1, 2, 0))
    strip = planes.nbytes // (n if planar else 1)
    bits, kind = planes.dtype.itemsize * 8, 3 if planes.dtype.kind == "f" else 1
    strips = n if planar else 1
    tags: list[tuple[int, str, list[int]]] = [
        (256, "H", [width]),
        (257, "H", [height]),
        (258, "H", [bits] * n),
        (259, "H", [1]),
        (262, "H", [2 if n >= 3 else 1]),
        (273, "I", [8 + i * strip for i in range(strips)]),
        (277, "H", [n]),
        (278, "H", [height]),
        (279, "I", [strip] * strips),
        (284, "H", [2 if planar else 1]),
        *([(338, "H", [extra] * (n - 3))] if extra is not None else []),
        (339, "H", [kind] * n),
    ]
    body = data.tobytes()
    after = 8 + len(body) + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, form, values in tags:
        packed = struct.pack(f"<{len(values)}{form}", *values)
        if len(packed) > 4:
            where, packed = after + len(more), packed + b"\0" * (len(packed) % 2)
            more += packed
            packed = struct.pack("<I", where)
        entries += struct.pack("<HHI", tag, 3 if form == "H" else 4, len(values))
        entries += packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", 8 + len(body))
    return head + body + struct.pack("<H", len(tags)) + entries + bytes(4) + more


def write(root: Path, files: list[bytes], ending: str) -> Any:
    (root / "i").mkdir(parents=True)
    for i, file in enumerate(files):
        (root / f"i/{i}.{ending}").write_bytes(file)
        write_label(root / f"m/{i}.png", np.zeros((9, 12)))
    dataset = {"name": "folder", "root": str(root), "classes": ["a", "b"]}
    return parse_config(
        {
            "dataset": {**dataset, "images": f"i/*.{ending}", "masks": "m/*.png"},
            "augment": {"crop_size": [9, 12], "flip": 0},
            "normalize": {"dtype": "uint8"},
            "loader": {"batch_size": 1, "device": "cpu"},
        }
    )


def values(dtype: str, high: int, n: int = 1) -> np.ndarray:
    made = RNG.integers(0, high + 1, (n, 9, 12)).astype(dtype)
    made[:, 0, :2] = high, 0
    return made


@pytest.mark.parametrize(
    ("files", "ending", "words"),
    [
        # each with other values than the others
        (
            [
                write_png(values("u2", high)[0], color=GRAY, depth=16)
                for high in (4095, 4001, 3900, 4050)
            ],
            "png",
            "is above 4095.*multiply by 16",
        ),
        (
            [write_tiff(values("f4", high) - 5) for high in (200, 100, 150, 7)],
            "tif",
            "floating point from -5 to 195",
        ),
        # alpha is not dark
        (
            [
                write_png(
                    np.dstack([values("u2", 1000, 3).transpose(1, 2, 0), np.full((9, 12), 65535)]),
                    color=RGBA,
                    depth=16,
                )
            ],
            "png",
            "is above 1023",
        ),
        ([write_png(values("u2", 4095)[0], color=GRAY, depth=16)], "png", "is above 4095"),
        ([write_tiff(values("u2", 4095))], "tif", "is above 4095.*multiply by 16"),
        (
            [write_png(values("u2", 1023, 3).transpose(1, 2, 0), color=RGB, depth=16)],
            "png",
            "is above 1023",
        ),
        ([write_tiff(values("f4", 200) - 100)], "tif", "floating point from -100 to 100"),
        ([write_tiff(values("u1", 255, 8))], "tif", "8 channels, of which the first three"),
        ([write_tiff(values("u1", 255, 4), extra=0)], "tif", "4 channels, of which the first"),
    ],
)
def test_what_is_lost_is_said(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    files: list[bytes],
    ending: str,
    words: str,
) -> None:
    config = write(tmp_path / "d", files, ending)
    for look in (_start, _verify):
        with caplog.at_level(logging.WARNING, logger="dali_voc"):
            caplog.clear()
            look(config)
        assert re.search(rf"images such as .*0\.{ending}: .*{words}", caplog.text)


def _start(config: Any) -> None:
    with build_loader(config, training=True) as loader:
        next(iter(loader))


def _verify(config: Any) -> None:
    verify_split(config, split="train")


@pytest.mark.parametrize(
    ("files", "ending"),
    [
        ([write_png(values("u2", 65535)[0], color=GRAY, depth=16)], "png"),
        ([write_png(values("u1", 9)[0], color=GRAY, depth=8)], "png"),
        ([write_tiff(values("u2", 9000))], "tif"),
        ([write_tiff(values("f4", 1))], "tif"),
        ([write_tiff(values("u1", 255, 4), extra=2)], "tif"),
        ([write_tiff(values("u1", 255, 3))], "tif"),
        # a dark one among others
        (
            [
                write_png(values("u2", high)[0], color=GRAY, depth=16)
                for high in (65535, 4000, 65535)
            ],
            "png",
        ),
    ],
)
def test_nothing_is_said_otherwise(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, files: list[bytes], ending: str
) -> None:
    config = write(tmp_path / "d", files, ending)
    with caplog.at_level(logging.WARNING, logger="dali_voc"):
        _start(config)
    assert "images such as" not in caplog.text


def test_a_picture_that_is_none_hides_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dark = [write_png(values("u2", 4095)[0], color=GRAY, depth=16)] * 3
    config = write(tmp_path / "d", [dark[0], dark[0][:50], *dark[1:]], "png")
    warn_of_lost_values(find_index(config.dataset, "train"))
    assert "is above 4095" in caplog.text


@pytest.mark.parametrize("dtype", ["u1", "u2"])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("planar", [False, True])
def test_planes_are_right_or_refused(
    tmp_path: Path, dtype: str, channels: int, planar: bool
) -> None:
    """DALI takes a plane of red for pixels."""
    planes = values(dtype, np.iinfo(dtype).max, channels)
    file = write_tiff(planes, planar=planar, extra=2 if channels == 4 else None)
    config = write(tmp_path / "d", [file], "tif")
    with build_loader(config, training=False) as loader:
        if planar and channels > 1 and (dtype, channels) != ("u1", 3):
            with pytest.raises(SampleError, match=rf"0\.tif: TIFF of {channels} planes of"):
                next(iter(loader))
            return
        found = next(iter(loader))[0][0].numpy().astype(int)
    expected = planes[:3] if channels > 1 else np.repeat(planes, 3, axis=0)
    scale = 257 if dtype == "u2" else 1
    assert np.abs(found - expected / scale).max() <= (1 if dtype == "u2" else 0)
