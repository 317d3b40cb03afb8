"""Finds the pictures that hold the crop; sizes come from the index or the labels' headers."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import Image, UnidentifiedImageError

from dali_voc.datasets._at_once import map_at_once
from dali_voc.datasets._index import PairIndex
from dali_voc.errors import DatasetError, SampleError

__all__ = ["find_large"]

_RUN = 256  # labels that a thread opens, one after another
# a PNG's first bytes: length and name of its header, the header, and the checksum of both
_BEGIN = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
_HEADER = struct.Struct(">II5xI")


def find_large(
    index: PairIndex, crop_size: tuple[int, int], *, must_exist: bool = True
) -> list[int]:
    """Return which pairs are neither lower nor narrower than the crop.

    Args:
        index: the pairs.
        crop_size: height and width, pixels.
        must_exist: labels without a sound header are an error; else they count as large, and it
            turns out when they are read.

    Raises:
        SampleError: a label's header cannot be read.
        DatasetError: no pair is left.
    """
    known = np.full((len(index), 2), -1) if index.sizes is None else index.sizes
    is_known = (known >= 0).all(axis=1)
    large = np.asarray((known >= crop_size).all(axis=1))
    unknown = np.flatnonzero(~is_known).tolist()

    def look(run: list[int]) -> list[bool]:
        sizes = [_from_header(index, i, must_exist) for i in run]
        return [size is None or all(map(int.__ge__, size, crop_size)) for size in sizes]

    runs = [unknown[i : i + _RUN] for i in range(0, len(unknown), _RUN)]
    large[unknown] = [one for run in map_at_once(look, runs) for one in run]
    kept = np.flatnonzero(large).tolist()
    if not kept:
        raise DatasetError(
            f"none of the {len(index)} pairs is as large as the crop, {crop_size[0]}x"
            f"{crop_size[1]} (height x width), and augment.small is 'drop'"
        )
    return kept


def _from_header(index: PairIndex, i: int, must_exist: bool) -> tuple[int, int] | None:
    """Return height and width of a label, or of what stands for it; None: it has no sound header.

    Raises:
        SampleError: it has none, and `must_exist` is set.
    """
    try:
        with index.labels.open(i) as file:
            head = file.read(len(_BEGIN) + _HEADER.size)
            width, height, checksum = _HEADER.unpack(head[len(_BEGIN) :].ljust(_HEADER.size))
            is_sound = head.startswith(_BEGIN) and zlib.crc32(head[12:-4]) == checksum
            if is_sound and width and height:
                return height, width
            file.seek(0)
            with Image.open(file) as label:
                return label.height, label.width
    except Exception as e:  # Pillow raises many kinds on damaged headers
        if not must_exist:
            return None
        if isinstance(e, SampleError):
            reason = e.reason
        elif isinstance(e, UnidentifiedImageError):
            reason = "not of a known format, or its header is damaged"
        else:
            reason = (e.strerror if isinstance(e, OSError) else None) or str(e)
        kind = "a PNG label" if i in index.labeled else "an image"
        raise SampleError(index.labels[i], f"cannot be read as {kind} ({reason})") from None
