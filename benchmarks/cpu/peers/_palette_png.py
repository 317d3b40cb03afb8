"""Palette PNG to indices through libdeflate: what a tuned loader does for VOC's labels."""

from __future__ import annotations

import struct

import deflate
import numpy as np
import numpy.typing as npt

from dali_voc.labels import voc_colormap

__all__ = ["read_indices"]

_PALETTE = bytes(value for color in voc_colormap(256) for value in color)


def read_indices(data: bytes) -> npt.NDArray[np.uint8]:
    """Return the indices, uint8 [height, width], of an 8-bit palette PNG with VOC's palette.

    Raises:
        ValueError: it is another PNG.
    """
    width, height, depth, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if (depth, kind, interlaced) != (8, 3, 0):
        raise ValueError(f"found depth {depth}, type {kind}, expected a palette of 8 bits")
    parts = []
    place = 33
    while True:
        length = int.from_bytes(data[place : place + 4], "big")
        name = data[place + 4 : place + 8]
        if name == b"IDAT":
            parts.append(data[place + 8 : place + 8 + length])
        elif name == b"PLTE":
            if not _PALETTE.startswith(data[place + 8 : place + 8 + length]):
                raise ValueError("found another palette, expected VOC's")
        elif name == b"IEND":
            break
        place += length + 12
    packed = parts[0] if len(parts) == 1 else b"".join(parts)
    raw = deflate.zlib_decompress(packed, height * (width + 1))
    rows = np.frombuffer(raw, np.uint8).reshape(height, width + 1)
    if rows[:, 0].any():
        return _undo_filters(rows)
    return rows[:, 1:]


def _undo_filters(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Undo filters 0 to 4 for pixels of one byte; slow where a row has one of the last two."""
    pixels = np.empty((len(rows), rows.shape[1] - 1), np.uint8)
    above = np.zeros(pixels.shape[1], np.uint8)
    for row, kind, out in zip(rows[:, 1:], rows[:, 0], pixels, strict=True):
        if kind == 0:
            out[:] = row
        elif kind == 1:
            np.cumsum(row, dtype=np.uint8, out=out)
        elif kind == 2:
            np.add(row, above, out=out)
        else:
            predict = _average if kind == 3 else _paeth
            left = corner = 0
            for i, (value, up) in enumerate(zip(row.tolist(), above.tolist(), strict=True)):
                left = (value + predict(left, up, corner)) & 255
                corner = up
                out[i] = left
        above = out
    return pixels


def _average(left: int, up: int, _: int) -> int:
    return (left + up) // 2


def _paeth(left: int, up: int, corner: int) -> int:
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))
