"""`crop_labels`: what the operator `crop_label` does, on tensors."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.ops._kernels._library import call, memory

__all__ = ["crop_labels"]

_VALUES = 256
_Pair = ctypes.c_int32 * 2


class _LabelPicture(ctypes.Structure):
    _fields_ = (
        ("values", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("size", _Pair),
        ("scaled", _Pair),
        ("start", _Pair),
        ("window", _Pair),
        ("crop", _Pair),
        ("flip_x", ctypes.c_int32),
        ("flip_y", ctypes.c_int32),
        ("rotation", ctypes.c_double * 2),
    )


def crop_labels(
    pictures: Sequence[torch.Tensor],
    out: Sequence[torch.Tensor],
    *,
    start: npt.ArrayLike | None = None,
    scaled: npt.ArrayLike | None = None,
    flip: Sequence[int] | None = None,
    vertical_flip: Sequence[int] | None = None,
    rotation: npt.ArrayLike | None = None,
    classes: Sequence[int] | None = None,
    ignore_index: int = 255,
    scratch: torch.Tensor,
    stream: int = 0,
) -> None:
    """Make crops of maps of class indices by one kernel.

    Args:
        pictures: uint8 [height, width], contiguous.
        out: uint8, int32 or int64 [crop height, crop width], contiguous, alike in type.
        start: see `dali_voc.ops.crop_label`, also for what follows; [n, 2].
        scaled: likewise, [n, 2].
        flip: likewise, one per sample.
        vertical_flip: likewise.
        rotation: likewise, [n, 2].
        classes: likewise.
        ignore_index: likewise.
        scratch: memory for the launch's arguments; it must not be used for anything else until the
            kernel has run.
        stream: handle of a CUDA stream.

    Raises:
        KernelError: says what failed.
    """
    if classes is not None and len(classes) != _VALUES:
        raise ValueError(f"{len(classes)} classes, expected one for each of {_VALUES} values")
    samples = (_LabelPicture * len(pictures))()
    turns = None if rotation is None else np.asarray(rotation, np.float32).reshape(-1, 2)
    starts = None if start is None else np.asarray(start).reshape(-1, 2)
    sizes = None if scaled is None else np.asarray(scaled).reshape(-1, 2)
    for i, (sample, values, to) in enumerate(zip(samples, pictures, out, strict=True)):
        size = tuple(values.shape) if sizes is None else tuple(int(side) for side in sizes[i])
        first = (0, 0) if starts is None else tuple(int(place) for place in starts[i])
        sample.values, sample.out = values.data_ptr(), to.data_ptr()
        sample.size, sample.scaled, sample.start = tuple(values.shape), size, first
        sample.crop = tuple(to.shape)
        sample.window = tuple(
            min(crop, side - place) for crop, side, place in zip(to.shape, size, first, strict=True)
        )
        sample.flip_x = 0 if flip is None else int(flip[i])
        sample.flip_y = 0 if vertical_flip is None else int(vertical_flip[i])
        sample.rotation = (1.0, 0.0) if turns is None else tuple(turns[i])
    call(
        "dali_voc_crop_labels",
        samples,
        len(pictures),
        None if classes is None else (ctypes.c_uint16 * _VALUES)(*classes),
        ignore_index,
        out[0].element_size(),
        *memory(scratch, stream),
    )
