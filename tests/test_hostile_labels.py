"""5,000 damaged label files under AddressSanitizer: no crash, each equal to Pillow or refused."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import native_driver
import numpy as np
import png_writer
import pytest
from PIL import Image
from png_writer import GRAY, PALETTE, RGB, RGBA, write_png

N = 5000


def _originals(rng: np.random.Generator) -> list[bytes]:
    palette = [(i, i * 3 % 256, i * 7 % 256) for i in range(256)]
    files = []
    for color, depth in [(PALETTE, d) for d in (1, 2, 4, 8)] + [(GRAY, 8), (RGB, 8), (RGBA, 8)]:
        for interlaced in (False, True):
            shape = (*rng.integers(20, 90, 2), png_writer.CHANNELS[color])
            files.append(
                write_png(
                    rng.integers(0, 2**depth, shape),
                    color=color,
                    depth=depth,
                    palette=palette[: 2**depth],
                    interlaced=interlaced,
                    idat_sizes=200,
                )
            )
    smooth = np.arange(60 * 80).reshape(60, 80) // 400
    for values in smooth, np.zeros((90, 90), int):
        buffer = io.BytesIO()
        image = Image.fromarray(values.astype(np.uint8), "P")
        image.putpalette([v for rgb in palette for v in rgb])
        image.save(buffer, "PNG")
        files.append(buffer.getvalue())
    return files


def _chunks(file: bytes) -> list[tuple[int, int]]:
    """Begin and body length of each chunk."""
    found, at = [], 8
    while at < len(file):
        (length,) = struct.unpack(">I", file[at : at + 4])
        found.append((at, length))
        at += 12 + length
    return found


def _mend_checksums(file: bytes) -> bytes:
    """Give each chunk a right CRC, so that damage gets past that check."""
    out, at = bytearray(file), 8
    while at + 12 <= len(out):
        (length,) = struct.unpack(">I", out[at : at + 4])
        if at + 12 + length > len(out):
            break
        crc = zlib.crc32(out[at + 4 : at + 8 + length])
        out[at + 8 + length : at + 12 + length] = struct.pack(">I", crc)
        at += 12 + length
    return bytes(out)


def _damage_pixels(file: bytes, rng: np.random.Generator) -> bytes:
    """Change inflated bytes, filter types among them, and pack them again with right checksums."""
    parts = _chunks(file)
    data = b"".join(file[a + 8 : a + 8 + n] for a, n in parts if file[a + 4 : a + 8] == b"IDAT")
    raw = bytearray(zlib.decompress(data))
    for _ in range(int(rng.integers(1, 4))):
        raw[rng.integers(len(raw))] = rng.integers(8)
    if rng.random() < 0.3:
        raw = raw[: rng.integers(len(raw))] if rng.random() < 0.5 else raw + bytes(9)
    kept = [file[a : a + 12 + n] for a, n in parts if file[a + 4 : a + 8] not in (b"IDAT", b"IEND")]
    body = png_writer.chunk(b"IDAT", zlib.compress(bytes(raw)))
    return file[:8] + b"".join(kept) + body + png_writer.chunk(b"IEND", b"")


def _mutate(file: bytes, rng: np.random.Generator) -> bytes:
    kind = rng.integers(8)
    out = bytearray(file)
    if kind == 0:
        return file[: rng.integers(len(file))]
    if kind == 1:
        return _damage_pixels(file, rng)
    if kind == 2:  # remove, repeat or exchange chunks
        parts = [file[a : a + 12 + n] for a, n in _chunks(file)]
        i, j = rng.integers(len(parts), size=2)
        if rng.random() < 0.5:
            parts[i], parts[j] = parts[j], parts[i]
        elif rng.random() < 0.5:
            del parts[i]
        else:
            parts.insert(i, parts[j])
        return file[:8] + b"".join(parts)
    if kind == 3:  # the header's fields
        at = 16 + rng.integers(13)
        out[at] = rng.choice([0, 1, 2, 3, 4, 6, 8, 16, 127, 255])
    elif kind == 4:
        at = rng.integers(len(out))
        out[at : at + rng.integers(1, 60)] = bytes(rng.integers(0, 256, 20, dtype=np.uint8))
    elif kind == 5:  # chunk lengths and names
        a, _ = _chunks(file)[rng.integers(len(_chunks(file)))]
        out[a + rng.integers(8)] = rng.integers(256)
    else:
        for _ in range(int(rng.integers(1, 5))):
            out[rng.integers(len(out))] ^= 1 << rng.integers(8)
    return _mend_checksums(bytes(out)) if rng.random() < 0.6 else bytes(out)


def _by_pillow(file: bytes) -> np.ndarray | None:
    """What the driver's table makes of the file, read by Pillow; None where Pillow refuses it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(file), formats=["PNG"])
            depth = file[24]
            values = np.array(image.convert("RGB") if image.mode == "RGBA" else image)
    except Exception:
        return None
    if image.mode in ("RGB", "RGBA"):
        key = values.astype(int) @ (65536, 256, 1)
        return np.where(key == 0, 0, np.where(key == 0x800000, 1, 7)).astype(np.uint8)
    if image.mode == "1":
        return values.astype(np.uint8)
    return (values // (255 // (2**depth - 1))) if image.mode == "L" else values


@pytest.fixture(scope="module")
def driver() -> Path:
    return native_driver.build()


def test_mutants_are_equal_to_pillow_or_refused(driver: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(20121111)
    originals = _originals(rng)
    files = originals + [_mutate(originals[i % len(originals)], rng) for i in range(N)]
    paths = []
    for i, file in enumerate(files):
        paths.append(tmp_path / f"{i}.png")
        paths[-1].write_bytes(file)
    accepted = 0
    for i, result in enumerate(native_driver.run(driver, paths)):
        if isinstance(result, str):
            assert i >= len(originals), f"sound file {i} refused: {result}"
            continue
        expected = _by_pillow(files[i])
        assert expected is not None, f"{paths[i]}: accepted, but Pillow refuses it"
        seen = expected[: native_driver.SIDE, : native_driver.SIDE]
        assert np.array_equal(result, seen), paths[i]
        accepted += i >= len(originals)
    assert N // 50 < accepted < N, "the mutations are too mild or too harsh to tell anything"


def test_gigantic_claims_are_refused_at_once(driver: Path, tmp_path: Path) -> None:
    sound = write_png(np.zeros((4, 4), int), color=PALETTE, depth=8, palette=[(0, 0, 0)])
    for width, height in (2**31 - 1, 2**31 - 1), (11000, 11000), (2**31, 1), (0, 5):
        claim = bytearray(sound)
        claim[16:24] = struct.pack(">II", width, height)
        (tmp_path / "claim.png").write_bytes(_mend_checksums(bytes(claim)))
        (result,) = native_driver.run(driver, [tmp_path / "claim.png"])
        assert isinstance(result, str)
