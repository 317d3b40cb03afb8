"""A slow PNG writer for every kind of label: all colour types, depths, filters, Adam7."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pack_row(row: npt.NDArray[np.integer], depth: int) -> bytes:
    """Values of one row, [width * channels], most significant bit first."""
    if depth == 16:
        return row.astype(">u2").tobytes()
    bits = "".join(format(int(value), f"0{depth}b") for value in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    distance = [(abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c)]
    return min(distance)[2]


def _filter_row(kind: int, row: bytes, above: bytes, stride: int) -> bytes:
    out = bytearray([kind])
    for i, value in enumerate(row):
        left = row[i - stride] if i >= stride else 0
        up = above[i]
        corner = above[i - stride] if i >= stride else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        out.append((value - guess) % 256)
    return bytes(out)


def _rows(pixels: npt.NDArray[np.integer], depth: int, filters: Sequence[int]) -> bytes:
    height = pixels.shape[0]
    channels = pixels.shape[2]
    stride = max(1, depth * channels // 8)
    out, above = b"", b""
    for y in range(height):
        row = _pack_row(pixels[y].reshape(-1), depth)
        above = above or bytes(len(row))
        out += _filter_row(filters[y % len(filters)], row, above, stride)
        above = row
    return out


def write_png(
    values: npt.NDArray[np.integer],
    *,
    color: int,
    depth: int,
    palette: Sequence[tuple[int, int, int]] = (),
    filters: Sequence[int] = (0, 1, 2, 3, 4),
    interlaced: bool = False,
    idat_sizes: int = 1 << 30,
    extra: bytes = b"",
    deflate: Callable[[bytes], bytes] = zlib.compress,
) -> bytes:
    """Encode values [height, width] or [height, width, channels]; filters are used row by row."""
    pixels = values.reshape(*values.shape[:2], CHANNELS[color])
    height, width = pixels.shape[:2]
    raw = b""
    if interlaced:
        for x0, y0, dx, dy in ADAM7:
            part = pixels[y0::dy, x0::dx]
            if part.size:
                raw += _rows(part, depth, filters)
    else:
        raw = _rows(pixels, depth, filters)
    data = deflate(raw)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    if color == PALETTE:
        out += chunk(b"PLTE", bytes(value for rgb in palette for value in rgb))
    out += extra
    for i in range(0, len(data), idat_sizes):
        out += chunk(b"IDAT", data[i : i + idat_sizes])
    return out + chunk(b"IEND", b"")
