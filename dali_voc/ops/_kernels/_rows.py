"""`copy_rows` on tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch

from dali_voc.ops._kernels._library import call, memory

__all__ = ["copy_rows"]


class _RowsCopy(ctypes.Structure):
    _fields_ = (
        ("source", ctypes.c_void_p),
        ("to", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("rows", ctypes.c_int64),
    )


def copy_rows(
    windows: Sequence[torch.Tensor],
    out: Sequence[torch.Tensor],
    *,
    scratch: torch.Tensor,
    stream: int = 0,
) -> None:
    """Pack windows of pictures by one kernel.

    Args:
        windows: uint8 [height, width, 3], each part of a contiguous picture.
        out: uint8, of as many bytes, contiguous.
        scratch: as for `color_to_index`.
        stream: likewise.

    Raises:
        KernelError: says what failed.
    """
    copies = (_RowsCopy * len(windows))()
    for copy, window, to in zip(copies, windows, out, strict=True):
        copy.source, copy.to = window.data_ptr(), to.data_ptr()
        copy.stride, copy.width, copy.rows = window.stride(0), 3 * window.shape[1], len(window)
    call("dali_voc_copy_rows", copies, len(windows), *memory(scratch, stream))
