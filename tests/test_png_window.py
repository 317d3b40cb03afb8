"""`PngWindow` under AddressSanitizer: every kind of PNG against Pillow, damage, prefixes."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import native_driver
import numpy as np
import pytest
from PIL import Image
from png_writer import CHANNELS, GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, chunk, write_png
from test_hostile_labels import _chunks, _mutate

KINDS = [(GRAY, d) for d in (1, 2, 4, 8)] + [(PALETTE, d) for d in (1, 2, 4, 8)]
KINDS += [(RGB, 8), (GRAY_ALPHA, 8), (RGBA, 8)]
PALETTE_COLORS = [(i * 5 % 256, i * 3 % 256, i * 7 % 256) for i in range(256)]


@pytest.fixture(scope="module", params=[True, False], ids=["vectors", "plain"])
def program(request: pytest.FixtureRequest) -> Path:
    return native_driver.build("png_windows", vectors=request.param)


def picture(
    rng: np.random.Generator, color: int, depth: int, shape: tuple[int, int], **options: object
) -> bytes:
    values = rng.integers(0, 2**depth, (*shape, CHANNELS[color]))
    # a short palette leaves indices without a colour
    colors = PALETTE_COLORS[: int(rng.integers(1, 2**depth + 1))]
    return write_png(values, color=color, depth=depth, palette=colors, **options)  # type: ignore[arg-type]


def windows(program: Path, folder: Path, files: list[bytes]) -> list[str]:
    paths = [folder / f"{i}.png" for i in range(len(files))]
    for path, file in zip(paths, files, strict=True):
        path.write_bytes(file)
    return native_driver.run_lines(program, [f"windows {path}" for path in paths])


def by_pillow(file: bytes) -> str | None:
    """The program's answer if it reads the file as Pillow does; None where Pillow refuses it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rgb = np.array(Image.open(io.BytesIO(file), formats=["PNG"]).convert("RGB"))
    except Exception:
        return None
    return f"ok {rgb.shape[0]} {rgb.shape[1]} {rgb.tobytes().hex()}"


def test_windows_of_all_kinds_filters_and_sizes(program: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    files = []
    for color, depth in KINDS:
        shapes = [(1, 1), (5, 1), (4, 3), (9, 4), (13, 5), (12, 40), (23, 37), (17, 64)]
        for shape in shapes:
            filters = [int(f) for f in rng.integers(0, 5, shape[0])]
            files.append(picture(rng, color, depth, shape, filters=filters, idat_sizes=300))
        for kind in range(5):
            files.append(picture(rng, color, depth, (14, 19), filters=[kind]))
        files.append(picture(rng, color, depth, (22, 30), filters=[4, 4, 4, 4, 3]))
        files.append(picture(rng, color, depth, (9, 9), extra=chunk(b"gAMA", b"\0\0\x80\0")))
    for file, answer in zip(files, windows(program, tmp_path, files), strict=True):
        assert answer == by_pillow(file)


def test_transparency_is_left_out(program: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    clear = {GRAY: b"\0\1", RGB: b"\0\1\0\1\0\1", PALETTE: b"\0\1"}
    values = rng.integers(0, 2, (11, 12, 3))
    files = [
        write_png(
            values[..., : CHANNELS[color]],
            color=color,
            depth=8,
            palette=PALETTE_COLORS,
            extra=chunk(b"tRNS", clear[color]),
        )
        for color in clear
    ]
    for file, answer in zip(files, windows(program, tmp_path, files), strict=True):
        assert answer == by_pillow(file)


@pytest.mark.parametrize(("color", "depth", "interlaced"), [(RGB, 16, False), (RGB, 8, True)])
def test_kinds_left_to_others_are_refused(
    program: Path, tmp_path: Path, color: int, depth: int, interlaced: bool
) -> None:
    file = picture(np.random.default_rng(0), color, depth, (6, 7), interlaced=interlaced)
    (answer,) = windows(program, tmp_path, [file])
    assert answer.startswith("refused this PNG is interlaced or has 16 bits per channel")


def _with_sound_checksum(file: bytes) -> bytes:
    """The same pixels, packed again: the Adler-32, which windows do not look at, is right."""
    parts = _chunks(file)
    data = b"".join(file[a + 8 : a + 8 + n] for a, n in parts if file[a + 4 : a + 8] == b"IDAT")
    raw = zlib.decompressobj(-15).decompress(data[2:])
    kept = [file[a : a + 12 + n] for a, n in parts if file[a + 4 : a + 8] not in (b"IDAT", b"IEND")]
    return b"".join(
        [file[:8], *kept, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")],
    )


def test_mutants_are_equal_to_pillow_or_refused(program: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(20121111)
    originals = [picture(rng, c, d, (20, 23), idat_sizes=200) for c, d in KINDS]
    mutants = [_mutate(originals[i % len(originals)], rng) for i in range(1500)]
    accepted = depends = 0
    for file, answer in zip(mutants, windows(program, tmp_path, mutants), strict=True):
        if answer.startswith("refused"):
            continue
        sound = all(
            zlib.crc32(file[a + 4 : a + 8 + n]) == struct.unpack(">I", file[a + 8 + n :][:4])[0]
            for a, n in _chunks(file)
        )
        if answer.startswith("depends"):
            # damage that no checksum of a chunk tells of
            assert sound
            depends += 1
            continue
        assert answer == (by_pillow(file) or by_pillow(_with_sound_checksum(file)))
        accepted += 1
    assert 30 < accepted < 1000
    assert depends < 300


def test_whether_a_damaged_file_is_refused_does_not_depend_on_the_window(
    program: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    original = picture(rng, RGB, 8, (20, 23), idat_sizes=200)
    files = [original[:at] for at in range(1, len(original), 7)]
    for at in rng.integers(8, len(original), 200):
        damaged = bytearray(original)
        damaged[at] ^= 1 << int(rng.integers(8))
        files.append(bytes(damaged))
    for answer in windows(program, tmp_path, files):
        assert answer.startswith("refused ")
        assert "PNG" in answer


def _stored(raw: bytes, size: int) -> bytes:
    """A zlib stream of stored blocks of `size` bytes."""
    out = b"\x78\x01"
    for at in range(0, len(raw), size):
        block = raw[at : at + size]
        last = at + size >= len(raw)
        out += struct.pack("<BHH", last, len(block), 0xFFFF - len(block)) + block
    return out + struct.pack(">I", zlib.adler32(raw))


def _streams() -> list[tuple[bytes, int]]:
    """Zlib streams of all kinds of blocks, of contents with few and many and long matches."""
    rng = np.random.default_rng(3)
    n = 150_000
    noise = rng.integers(0, 256, n, np.uint8).tobytes()
    few = rng.integers(0, 3, n, np.uint8).tobytes()
    steps = np.repeat(rng.integers(0, 256, n // 1000, np.uint8), 1000).tobytes()
    far = (noise[:32_000] * 5)[:n]
    found = []
    for raw in noise, few, steps, far, bytes(n):
        found += [(zlib.compress(raw, level), len(raw)) for level in range(10)]
        for strategy in zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FILTERED:
            packer = zlib.compressobj(6, zlib.DEFLATED, 15, 8, strategy)
            found.append((packer.compress(raw) + packer.flush(), len(raw)))
    found += [(_stored(noise, size), n) for size in (65535, 65534, 40000, 258)]
    return found


def test_prefixes_of_zlib_streams(program: Path, tmp_path: Path) -> None:
    """Where libdeflate stops for lack of room, all that was asked for has to be there."""
    lines = []
    for i, (stream, size) in enumerate(_streams()):
        path = tmp_path / f"{i}.zlib"
        path.write_bytes(stream)
        lines.append(f"prefixes {size} {509 + i} {path}")
    # about the place where the second of the longest stored blocks begins
    raw = bytes(range(256)) * 600
    path = tmp_path / "longest.zlib"
    path.write_bytes(_stored(raw, 65535))
    lines += [f"prefixes {len(raw)} {step} {path}" for step in (41, *range(65530, 65541))]
    assert native_driver.run_lines(program, lines) == ["ok"] * len(lines)
