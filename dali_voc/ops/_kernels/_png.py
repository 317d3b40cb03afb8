"""PNG decoded on a GPU into tensors of PyTorch's, outside DALI: for tests and benchmarks."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.labels import LabelTables
from dali_voc.ops._kernels._library import call, ints

__all__ = ["PngClasses", "Window", "decode_png"]

Window = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class PngClasses:
    """How labels are read.

    Attributes:
        tables: what colours and values mean.
        instead: the class of those that are not in them.
        by_color: palette files are mapped by colour, else by index.
    """

    tables: LabelTables
    instead: int
    by_color: bool = True


class _File(ctypes.Structure):
    _fields_ = (
        ("bytes", ctypes.c_void_p),
        ("size", ctypes.c_int64),
        ("y", ctypes.c_int64),
        ("x", ctypes.c_int64),
        ("height", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("out", ctypes.c_void_p),
        ("pixels", ctypes.c_int64),
    )


class _Classes(ctypes.Structure):
    _fields_ = (
        ("colors", ctypes.POINTER(ctypes.c_int)),
        ("color_classes", ctypes.POINTER(ctypes.c_int)),
        ("num_colors", ctypes.c_int),
        ("values", ctypes.POINTER(ctypes.c_int)),
        ("value_classes", ctypes.POINTER(ctypes.c_int)),
        ("num_values", ctypes.c_int),
        ("palette_by_color", ctypes.c_int),
        ("instead", ctypes.c_int),
        ("element_size", ctypes.c_int),
    )


class _Memory(ctypes.Structure):
    _fields_ = (
        ("scratch", ctypes.c_void_p),
        ("scratch_size", ctypes.c_size_t),
        ("host", ctypes.c_void_p),
        ("host_size", ctypes.c_size_t),
        ("stream", ctypes.c_void_p),
    )


def _describe(classes: PngClasses | None, element_size: int) -> _Classes:
    if classes is None:
        return _Classes()
    tables = classes.tables
    return _Classes(
        colors=ints(tables.colors),
        color_classes=ints(tables.color_classes),
        num_colors=len(tables.colors),
        values=ints(tables.values),
        value_classes=ints(tables.value_classes),
        num_values=len(tables.values),
        palette_by_color=int(classes.by_color),
        instead=classes.instead,
        element_size=element_size,
    )


def decode_png(
    files: Sequence[npt.NDArray[np.uint8]],
    out: Sequence[torch.Tensor],
    reports: torch.Tensor,
    *,
    nvcomp: Path,
    scratch: torch.Tensor,
    windows: Sequence[Window] | None = None,
    classes: PngClasses | None = None,
    host: torch.Tensor | None = None,
    threads: int = 1,
    stream: int = 0,
) -> None:
    """Decode PNG files to RGB, or with `classes` to class indices.

    Args:
        files: their bytes.
        out: uint8 [height, width, 3]; with `classes` uint8, int32 or int64 [height, width], alike
            in type; contiguous.
        reports: int32 [n, 4]: what was found, for `check_png`.
        nvcomp: the library that inflates.
        scratch: device memory, uint8, for the files and, twice, what they inflate to; it must not
            be used for anything else until the kernels have run.
        windows: row, column, height and width of each; None: whole pictures.
        classes: what labels mean.
        host: page-locked memory, uint8, from which the files go to the GPU; likewise.
        threads: that check and copy files before they go.
        stream: handle of a CUDA stream.

    Raises:
        KernelError: says what failed.
    """
    given = (_File * len(files))()
    for i, (sample, file, to) in enumerate(zip(given, files, out, strict=True)):
        sample.bytes, sample.size, sample.out = file.ctypes.data, file.size, to.data_ptr()
        sample.pixels = to.numel() // (1 if classes else 3)
        if windows is not None:
            sample.y, sample.x, sample.height, sample.width = windows[i]
    memory = _Memory(
        scratch=scratch.data_ptr(),
        scratch_size=scratch.numel(),
        host=None if host is None else host.data_ptr(),
        host_size=0 if host is None else host.numel(),
        stream=stream,
    )
    description = _describe(classes, out[0].element_size() if out else 1)
    call(
        "dali_voc_decode_png",
        given,
        len(files),
        ctypes.byref(description),
        str(nvcomp).encode(),
        ctypes.c_void_p(reports.data_ptr()),
        ctypes.byref(memory),
        threads,
    )
