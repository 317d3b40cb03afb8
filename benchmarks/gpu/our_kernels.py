"""Our kernels as they are timed alone, on pictures and labels of VOC's size."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks.gpu.kernels import Kernel, Moved, seconds_in_kernels
from dali_voc.labels import voc_colormap
from dali_voc.ops import _kernels

__all__ = ["OUR_KERNELS"]

_PICTURE, _CROP = (375, 500), (320, 480)
_MEAN, _STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
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

    seconds = seconds_in_kernels(launch, device)
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
    seconds = seconds_in_kernels(
        lambda: _kernels.copy_rows(
            list(windows), list(out), scratch=scratch, stream=_stream(device)
        ),
        device,
    )
    if not torch.equal(out, windows):
        raise RuntimeError("the kernel's copies are wrong")
    return {"bytes": 2 * out.numel(), "seconds": seconds}


def _crop_images(
    device: torch.device, *, dtype: torch.dtype, resizes: bool = False, turns: bool = False
) -> Moved:
    n = _batch(device)
    rng = torch.Generator(device).manual_seed(0)
    # to 2/3, 3/2, 1 and 2 times as high and wide
    sides = [(480, 720), (213, 320), (320, 480), (160, 240)] if resizes else [_CROP]
    shapes = [(*sides[i % len(sides)], 3) for i in range(n)]
    windows = [
        torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8, device=device)
        for shape in shapes
    ]
    out = torch.empty(n, 3, *_CROP, dtype=dtype, device=device)
    roi = None
    if resizes:
        ends = [window.shape[:2] for window in windows]
        roi = ([(0, 0)] * n, ends, [_CROP] * n)
    between = 3 * n * _CROP[0] * _CROP[1] if resizes and turns else 0
    scratch = torch.empty((16 << 20) + between, dtype=torch.uint8, device=device)

    def launch() -> None:
        _kernels.crop_images(
            windows,
            list(out),
            mean=_MEAN,
            std=_STD,
            roi=roi,
            flip=[i % 2 for i in range(n)],
            rotation=[(0.98480775, 0.17364818)] * n if turns else None,
            scratch=scratch,
            stream=_stream(device),
        )

    seconds = seconds_in_kernels(launch, device)
    if not resizes and not turns:
        wanted = torch.stack(windows).permute(0, 3, 1, 2).float()
        wanted[1::2] = wanted[1::2].flip(3)
        mean, std = (torch.tensor(v, device=device).view(3, 1, 1) for v in (_MEAN, _STD))
        if (out.float() - (wanted - mean) / std).abs().max() > 2e-3:
            raise RuntimeError("the kernel's crops are wrong")
    read = sum(window.numel() for window in windows)
    return {"bytes": read + out.numel() * out.element_size(), "seconds": seconds}


def _crop_labels(device: torch.device, *, dtype: torch.dtype) -> Moved:
    n = _batch(device)
    rng = torch.Generator(device).manual_seed(0)
    shape = (n, *_PICTURE)
    pictures = torch.randint(0, 256, shape, generator=rng, dtype=torch.uint8, device=device)
    out = torch.empty(n, *_CROP, dtype=dtype, device=device)
    scratch = _scratch(device)
    seconds = seconds_in_kernels(
        lambda: _kernels.crop_labels(
            list(pictures),
            list(out),
            start=[(17, 3)] * n,
            scratch=scratch,
            stream=_stream(device),
        ),
        device,
    )
    if not torch.equal(out.to(torch.uint8), pictures[:, 17 : 17 + _CROP[0], 3 : 3 + _CROP[1]]):
        raise RuntimeError("the kernel's labels are wrong")
    return {"bytes": out.numel() * (1 + out.element_size()), "seconds": seconds}


OUR_KERNELS: dict[str, Kernel] = {
    "color_to_index uint8": partial(_color_to_index, dtype=torch.uint8),
    "color_to_index int64": partial(_color_to_index, dtype=torch.int64),
    "copy_rows": _copy_rows,
    "crop_images float32": partial(_crop_images, dtype=torch.float32),
    "crop_images float16": partial(_crop_images, dtype=torch.float16),
    "crop_images float16, resized": partial(_crop_images, dtype=torch.float16, resizes=True),
    "crop_images float16, turned": partial(_crop_images, dtype=torch.float16, turns=True),
    "crop_images float16, resized and turned": partial(
        _crop_images, dtype=torch.float16, resizes=True, turns=True
    ),
    "crop_labels uint8": partial(_crop_labels, dtype=torch.uint8),
    "crop_labels int64": partial(_crop_labels, dtype=torch.int64),
}
