"""`color_to_index` on tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch

from dali_voc.labels import Color
from dali_voc.ops._kernels._library import call, ints, memory

__all__ = ["color_to_index"]


class _ColorPicture(ctypes.Structure):
    _fields_ = (
        ("rgb", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("pixels", ctypes.c_int64),
    )


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
    call(
        "dali_voc_color_to_index",
        samples,
        len(pictures),
        ints([r << 16 | g << 8 | b for r, g, b in colors]),
        ints(classes),
        len(classes),
        instead,
        out[0].element_size(),
        ctypes.c_void_p(unknown.data_ptr()),
        *memory(scratch, stream),
    )
