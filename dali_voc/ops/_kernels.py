"""GPU kernels on tensors of PyTorch's, outside DALI: for tests and benchmarks.

The launchers are those that the operators use. Nothing here waits for the GPU.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path

import torch

from dali_voc.errors import DaliVocError
from dali_voc.labels import Color
from dali_voc.ops._plugin import library_path, load_plugin

__all__ = ["KernelError", "color_to_index", "copy_rows", "ptx_images", "use_driver"]

_ERROR_SIZE = 1024


class KernelError(DaliVocError):
    """A kernel could not be launched."""


class _ColorPicture(ctypes.Structure):
    _fields_ = (
        ("rgb", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("pixels", ctypes.c_int64),
    )


class _RowsCopy(ctypes.Structure):
    _fields_ = (
        ("source", ctypes.c_void_p),
        ("to", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("width", ctypes.c_int64),
        ("rows", ctypes.c_int64),
    )


@functools.cache
def _library() -> ctypes.CDLL:
    load_plugin()
    return ctypes.CDLL(str(library_path()))


def _call(function: str, *arguments: object) -> None:
    error = ctypes.create_string_buffer(_ERROR_SIZE)
    if getattr(_library(), function)(*arguments, error, ctypes.c_size_t(_ERROR_SIZE)):
        raise KernelError(error.value.decode(errors="replace"))


def use_driver(path: Path | None) -> None:
    """Take another CUDA driver than the machine's; None: that again."""
    _call("dali_voc_use_driver", None if path is None else str(path).encode())


def ptx_images() -> dict[str, str]:
    """Return the kernels as they are given to the driver, by the name of their source."""
    names = (ctypes.c_char_p * 64)()
    texts = (ctypes.c_char_p * 64)()
    number = _library().dali_voc_ptx_images(names, texts, 64)
    return {(names[i] or b"").decode(): (texts[i] or b"").decode() for i in range(number)}


def _ints(values: Sequence[int]) -> ctypes.Array[ctypes.c_int]:
    return (ctypes.c_int * len(values))(*values)


def _memory(scratch: torch.Tensor, stream: int) -> tuple[object, ...]:
    size = ctypes.c_size_t(scratch.numel() * scratch.element_size())
    return ctypes.c_void_p(scratch.data_ptr()), size, ctypes.c_void_p(stream)


def color_to_index(
    pictures: Sequence[torch.Tensor],
    out: Sequence[torch.Tensor],
    unknown: torch.Tensor,
    *,
    colors: Sequence[Color],
    classes: Sequence[int],
    instead: int,
    scratch: torch.Tensor,
    stream: int = 0,
) -> None:
    """Map pictures to class indices by one kernel.

    Args:
        pictures: uint8 [height, width, 3], contiguous.
        out: uint8, int32 or int64 [height, width], contiguous, alike in type.
        unknown: int32 [n, 2]: how many pixels of each have colours that are not in the table, and
            the smallest of these, 0xRRGGBB, or -1.
        colors: known colours (R, G, B).
        classes: the class of each.
        instead: the class of any other.
        scratch: memory for the launch's arguments; it must not be used for anything else until the
            kernel has run.
        stream: handle of a CUDA stream.

    Raises:
        KernelError: says what failed.
    """
    samples = (_ColorPicture * len(pictures))()
    for sample, rgb, to in zip(samples, pictures, out, strict=True):
        sample.rgb, sample.out, sample.pixels = rgb.data_ptr(), to.data_ptr(), to.numel()
    _call(
        "dali_voc_color_to_index",
        samples,
        len(pictures),
        _ints([r << 16 | g << 8 | b for r, g, b in colors]),
        _ints(classes),
        len(classes),
        instead,
        out[0].element_size(),
        ctypes.c_void_p(unknown.data_ptr()),
        *_memory(scratch, stream),
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
    _call("dali_voc_copy_rows", copies, len(windows), *_memory(scratch, stream))
