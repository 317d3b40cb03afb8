"""Our kernels as they are timed alone, on pictures and labels of VOC's size."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.gpu.kernels import Kernel, Moved, seconds_of
from dali_voc.labels import voc_colormap
from dali_voc.ops import _kernels

__all__ = ["OUR_KERNELS"]

_PICTURE, _CROP = (375, 500), (320, 480)
_BLOB = 25  # pixels; labels come in runs


def _batch(device: torch.device) -> int:
    return 256 if device.type == "cuda" else 2


def _stream(device: torch.device) -> int:
    return torch.cuda.current_stream(device).cuda_stream if device.type == "cuda" else 0


def _scratch(device: torch.device) -> torch.Tensor:
    return torch.empty(4 << 20, dtype=torch.uint8, device=device)


def _color_to_index(device: torch.device, *, dtype: torch.dtype) -> Moved:
    n = _batch(device)
    height, width = _PICTURE
    rng = torch.Generator(device).manual_seed(0)
    blobs = (n, height // _BLOB, width // _BLOB)
    classes = torch.randint(0, 21, blobs, generator=rng, device=device)
    classes = classes.repeat_interleave(_BLOB, 1).repeat_interleave(_BLOB, 2)
    palette = voc_colormap(21)
    rgb = torch.tensor(palette, dtype=torch.uint8, device=device)[classes]
    out = torch.empty(classes.shape, dtype=dtype, device=device)
    unknown = torch.empty(n, 2, dtype=torch.int32, device=device)
    scratch = _scratch(device)

    def launch() -> None:
        _kernels.color_to_index(
            list(rgb),
            list(out),
            unknown,
            colors=palette,
            classes=range(21),
            instead=255,
            scratch=scratch,
            stream=_stream(device),
        )

    seconds = seconds_of(launch, device)
    if not torch.equal(out.long(), classes):
        raise RuntimeError("the kernel's classes are wrong")
    return {"bytes": rgb.numel() + out.numel() * out.element_size(), "seconds": seconds}


def _copy_rows(device: torch.device) -> Moved:
    shape = (_batch(device), *_PICTURE, 3)
    rng = torch.Generator(device).manual_seed(0)
    pictures = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8, device=device)
    # at any byte, as crops begin
    windows = pictures[:, 17 : 17 + _CROP[0], 3 : 3 + _CROP[1]]
    out = torch.empty(windows.shape, dtype=torch.uint8, device=device)
    scratch = _scratch(device)
    seconds = seconds_of(
        lambda: _kernels.copy_rows(
            list(windows), list(out), scratch=scratch, stream=_stream(device)
        ),
        device,
    )
    if not torch.equal(out, windows):
        raise RuntimeError("the kernel's copies are wrong")
    return {"bytes": 2 * out.numel(), "seconds": seconds}


OUR_KERNELS: dict[str, Kernel] = {
    "color_to_index uint8": partial(_color_to_index, dtype=torch.uint8),
    "color_to_index int64": partial(_color_to_index, dtype=torch.int64),
    "copy_rows": _copy_rows,
}
