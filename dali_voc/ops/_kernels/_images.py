"""`crop_images`: what `normalize_crop` does, on tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.ops._kernels._library import call, memory

__all__ = ["crop_images"]

_TYPES = {torch.float32: 0, torch.float16: 1, torch.uint8: 2}


class _CropPicture(ctypes.Structure):
    _fields_ = (
        ("rgb", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("stride", ctypes.c_int64),
        ("window", ctypes.c_int32 * 2),
        ("shown", ctypes.c_int32 * 2),
        ("crop", ctypes.c_int32 * 2),
        ("flip_x", ctypes.c_int32),
        ("flip_y", ctypes.c_int32),
        ("resizes", ctypes.c_int32),
        ("recolors", ctypes.c_int32),
        ("start", ctypes.c_double * 2),
        ("end", ctypes.c_double * 2),
        ("rotation", ctypes.c_double * 2),
        ("matrix", ctypes.c_float * 12),
    )


def crop_images(
    windows: Sequence[torch.Tensor],
    out: Sequence[torch.Tensor],
    *,
    mean: Sequence[float],
    std: Sequence[float],
    fill: Sequence[float] = (0.0, 0.0, 0.0),
    roi: tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike] | None = None,
    flip: Sequence[int] | None = None,
    vertical_flip: Sequence[int] | None = None,
    rotation: npt.ArrayLike | None = None,
    color: npt.ArrayLike | None = None,
    channels_last: bool = False,
    scratch: torch.Tensor,
    stream: int = 0,
) -> None:
    """Make crops of windows.

    That is a launch each for those that stay as they are and for those that are turned, two for
    those that are resized, and three for those that are resized and turned.

    Args:
        windows: uint8 RGB [height, width, 3]; pixels side by side, rows at any distance.
        out: float32, float16 or uint8 [3, crop height, crop width], or channels last; contiguous,
            alike in type. float16 is float32 rounded to the nearest, ties to even.
        mean: see `dali_voc.ops.normalize_crop`, also for what follows.
        std: likewise.
        fill: likewise.
        roi: likewise, each [n, 2].
        flip: likewise, one per sample.
        vertical_flip: likewise.
        rotation: likewise, [n, 2].
        color: likewise, [n, 3, 4].
        channels_last: [crop height, crop width, 3].
        scratch: memory for the launches' arguments, the filters and, 3 bytes a pixel, the crops
            that are resized and then turned; it must not be used for anything else until the
            kernels have run.
        stream: handle of a CUDA stream.

    Raises:
        KernelError: says what failed.
    """
    samples = (_CropPicture * len(windows))()
    regions = None if roi is None else [np.asarray(part, np.float32).reshape(-1, 2) for part in roi]
    turns = None if rotation is None else np.asarray(rotation, np.float32).reshape(-1, 2)
    matrices = None if color is None else np.asarray(color, np.float32).reshape(-1, 12)
    for i, (sample, window, to) in enumerate(zip(samples, windows, out, strict=True)):
        sample.rgb, sample.out = window.data_ptr(), to.data_ptr()
        sample.stride = window.stride(0)
        sample.window = sample.shown = tuple(window.shape[:2])
        sample.crop = tuple(to.shape[:2] if channels_last else to.shape[1:])
        sample.flip_x = 0 if flip is None else int(flip[i])
        sample.flip_y = 0 if vertical_flip is None else int(vertical_flip[i])
        sample.rotation = (1.0, 0.0) if turns is None else tuple(turns[i])
        if regions is not None:
            sample.resizes = 1
            sample.start, sample.end = tuple(regions[0][i]), tuple(regions[1][i])
            sample.shown = tuple(int(side) for side in regions[2][i])
        if matrices is not None:
            sample.recolors = 1
            sample.matrix = tuple(matrices[i])
    floats = ctypes.c_float * 3
    call(
        "dali_voc_crop_images",
        samples,
        len(windows),
        *(floats(*values) for values in (mean, std, fill)),
        _TYPES[out[0].dtype],
        int(channels_last),
        *memory(scratch, stream),
    )
