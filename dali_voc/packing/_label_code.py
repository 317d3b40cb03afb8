"""Maps of class indices to bytes: runs that decode quickly, or gray PNG where runs do not pay.

What the runs look like is said in `dali_voc/ops/csrc/label_runs.h`.
"""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["encode_label", "encode_runs"]

# Runs are taken without a look at PNG where they need no more than this many bytes per pixel: they
# decode several times faster, and beside the image their size does not matter.
_FEW = 1 / 8


def encode_label(label: npt.NDArray[Any]) -> bytes:
    """Encode a map for `dali_voc.ops.decode_label`.

    Args:
        label: class indices [height, width]: uint8, or wider, which becomes PNG of 16 bits.
    """
    if label.dtype != np.uint8:
        return _png(label.astype(np.uint16))
    runs = encode_runs(label)
    if len(runs) <= _FEW * label.size:
        return runs
    return min(runs, _png(label), key=len)


def _png(label: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(label).save(buffer, "PNG")
    return buffer.getvalue()


def encode_runs(label: npt.NDArray[np.uint8]) -> bytes:
    """Encode a map as bands of rows that are alike, each a list of runs."""
    height, width = label.shape
    first_rows = np.flatnonzero(np.r_[True, (label[1:] != label[:-1]).any(axis=1)])
    rows = label[first_rows]
    begins = np.ones(rows.shape, bool)
    begins[:, 1:] = rows[:, 1:] != rows[:, :-1]
    places = np.flatnonzero(begins)
    per_row = begins.sum(axis=1)
    # one token per band, its number of rows, before the tokens of its runs
    num_bands, num_runs = len(first_rows), len(places)
    bands = np.cumsum(per_row) - per_row + np.arange(num_bands)
    is_run = np.ones(num_bands + num_runs, bool)
    is_run[bands] = False
    numbers = np.empty(num_bands + num_runs, np.int64)
    numbers[bands] = np.diff(np.r_[first_rows, height])
    numbers[is_run] = np.diff(np.r_[places, rows.size])
    table = np.empty((len(numbers), 5), np.uint8)
    table[is_run, 0] = rows.ravel()[places]
    groups = numbers[:, None] >> (7 * np.arange(4))
    more = groups >= 128
    table[:, 1:] = (groups & 127) | (more << 7)
    used = np.ones(table.shape, bool)
    used[:, 0] = is_run
    used[:, 2:] = more[:, :-1]
    return b"DVLR" + struct.pack("<II", width, height) + table[used].tobytes()
