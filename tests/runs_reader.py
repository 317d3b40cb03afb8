"""The code of label_runs.h, read slowly and plainly."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def read_runs(data: bytes) -> npt.NDArray[np.uint8]:
    assert data[:4] == b"DVLR"
    width, height = (int.from_bytes(data[k : k + 4], "little") for k in (4, 8))
    at = 12

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    rows: list[list[int]] = []
    while len(rows) < height:
        alike = number()
        row: list[int] = []
        while len(row) < width:
            value = data[at]
            at += 1
            row += [value] * number()
        rows += [row] * alike
    assert at == len(data)
    return np.array(rows, np.uint8)
