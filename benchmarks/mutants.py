"""Damaged and odd image and label files, made from sound ones."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Rng = np.random.Generator


def _truncate(file: bytes, rng: Rng) -> bytes:
    return file[: int(rng.integers(len(file)))]


def _flip_bits(file: bytes, rng: Rng) -> bytes:
    out = bytearray(file)
    for at in rng.integers(len(out), size=int(rng.integers(1, 9))):
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


def _zero_block(file: bytes, rng: Rng) -> bytes:
    out = bytearray(file)
    at, n = int(rng.integers(len(out))), int(rng.integers(1, 4096))
    out[at : at + n] = bytes(len(out[at : at + n]))
    return bytes(out)


def _rewrite(file: bytes, kind: str, *, mode: str | None = None, **options: object) -> bytes:
    image: Image.Image = Image.open(io.BytesIO(file))
    if mode:
        image = image.convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _resize(file: bytes, rng: Rng) -> bytes:
    image = Image.open(io.BytesIO(file))
    width, height = (max(1, int(s) + int(rng.choice([-7, -1, 1, 40]))) for s in image.size)
    buffer = io.BytesIO()
    image.resize((width, height), Image.Resampling.NEAREST).save(buffer, "PNG")
    return buffer.getvalue()


def _gray16(file: bytes) -> bytes:
    values = np.array(Image.open(io.BytesIO(file))).astype(np.uint16) * 257
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg12(width: int, height: int, *, seed: int) -> bytes:
    """A 12-bit gray JPEG (extended sequential), of blocks of one shade each.

    Only DC coefficients are coded: ITU-T T.81, annex F.1.2.1.
    """
    rng = np.random.default_rng(seed)
    bits = ""
    last = 0
    for _ in range(-(-height // 8) * -(-width // 8)):
        dc = int(rng.integers(-1000, 1000))
        difference, last = dc - last, dc
        size = abs(difference).bit_length()
        bits += format(size, "04b")  # all sixteen categories have codes of 4 bits, but 1111
        if size:
            value = difference if difference > 0 else difference + (1 << size) - 1
            bits += format(value, f"0{size}b")
        bits += "0"  # end of block
    bits += "1" * (-len(bits) % 8)
    scan = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)).replace(
        b"\xff", b"\xff\0"
    )

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body

    dc_codes = bytes([0, 0, 0, 0, 15] + [0] * 11)[1:] + b"\0"
    return (
        b"\xff\xd8"
        + segment(0xDB, b"\0" + bytes([8] * 64))
        + segment(0xC1, struct.pack(">BHHB", 12, height, width, 1) + bytes([1, 0x11, 0]))
        + segment(0xC4, b"\0" + dc_codes[:16] + bytes(range(15)))
        + segment(0xC4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
        + segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
        + scan
        + b"\xff\xd9"
    )


def _write(change: Callable[[bytes, Rng], bytes]) -> Callable[[Path, Rng], None]:
    return lambda path, rng: path.write_bytes(change(path.read_bytes(), rng)) and None


def _folder(path: Path, _: Rng) -> None:
    path.unlink()
    path.mkdir()


def _dangling(path: Path, _: Rng) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _missing(path: Path, _: Rng) -> None:
    path.unlink()


def _unreadable(path: Path, _: Rng) -> None:
    os.chmod(path, 0)


def _jpeg12(path: Path, rng: Rng) -> None:
    width, height = Image.open(path).size
    path.write_bytes(jpeg12(width, height, seed=int(rng.integers(2**31))))


ANY: dict[str, Callable[[Path, Rng], None]] = {
    "truncated": _write(_truncate),
    "flipped bits": _write(_flip_bits),
    "zeroed block": _write(_zero_block),
    "empty": _write(lambda *_: b""),
    "text": _write(lambda *_: b"this is no picture\n" * 40),
    "folder": _folder,
    "dangling link": _dangling,
    "missing": _missing,
    "unreadable": _unreadable,
}
IMAGE: dict[str, Callable[[Path, Rng], None]] = {
    "progressive": _write(lambda f, _: _rewrite(f, "JPEG", progressive=True)),
    "CMYK JPEG": _write(lambda f, _: _rewrite(f, "JPEG", mode="CMYK")),
    "gray JPEG": _write(lambda f, _: _rewrite(f, "JPEG", mode="L")),
    "12-bit JPEG": _jpeg12,
    "PNG named .jpg": _write(lambda f, _: _rewrite(f, "PNG")),
    "palette PNG named .jpg": _write(lambda f, _: _rewrite(f, "PNG", mode="P")),
}
LABEL: dict[str, Callable[[Path, Rng], None]] = {
    "wrong size": _write(_resize),
    "16-bit PNG": _write(lambda f, _: _gray16(f)),
    "RGB PNG": _write(lambda f, _: _rewrite(f, "PNG", mode="RGB")),
    "RGBA PNG": _write(lambda f, _: _rewrite(f, "PNG", mode="RGBA")),
    "tRNS PNG": _write(lambda f, _: _rewrite(f, "PNG", transparency=0)),
    "JPEG named .png": _write(lambda f, _: _rewrite(f, "JPEG", mode="RGB")),
    "GIF named .png": _write(lambda f, _: _rewrite(f, "GIF")),
}

# Kinds that must load, and equal to Pillow.
SOUND = {
    *("progressive", "CMYK JPEG", "gray JPEG", "PNG named .jpg", "palette PNG named .jpg"),
    *("RGB PNG", "RGBA PNG", "tRNS PNG"),
}
