"""The GPU kernels of `normalize_crop` and what launches them, on the host."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from cuda_on_cpu import cuda_on_cpu, guarded, scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn

from dali_voc.ops import _kernels, normalize_crop

NUMPY = {"float32": np.float32, "float16": np.float16, "uint8": np.uint8}
Images = list[npt.NDArray[Any]]


@pytest.fixture(autouse=True, scope="module")
def driver() -> Iterator[ctypes.CDLL]:
    with cuda_on_cpu() as library:
        yield library


def by_operator(
    windows: Images,
    *,
    per_sample: dict[str, npt.NDArray[Any]],
    roi: Sequence[npt.NDArray[np.float32]] | None,
    **options: Any,
) -> Images:
    """What the CPU operator makes of them."""
    arrays = [*per_sample.values(), *(roi or ())]
    pipeline = Pipeline(
        batch_size=len(windows), num_threads=1, device_id=None, prefetch_queue_depth=1
    )
    with pipeline:
        image, *nodes = fn.external_source(
            source=lambda: (windows, *arrays),
            num_outputs=1 + len(arrays),
            layout=["HWC"] + [""] * len(arrays),
        )
        given = dict(zip(per_sample, nodes, strict=False))
        region = None if roi is None else tuple(nodes[-3:])
        pipeline.set_outputs(normalize_crop(image, roi=region, **given, **options))
    (result,) = pipeline.run()
    return [np.array(result[i]) for i in range(len(windows))]


def place(
    array: npt.NDArray[Any], *, at_end: bool, offset: int, dtype: npt.DTypeLike
) -> torch.Tensor:
    memory = guarded(array.size, at_end=at_end, offset=offset, dtype=dtype)
    memory.numpy()[:] = array.reshape(-1)
    return memory.reshape(array.shape)


SIDES = st.one_of(st.integers(1, 12), st.integers(1, 70), st.sampled_from([16, 32, 64, 96, 240]))


@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_equals_the_cpu_operator_to_the_bit(data: st.DataObject, driver: ctypes.CDLL) -> None:
    """All options, mixed sizes, odd alignments, nothing else touched, as few launches as told."""
    draw = data.draw
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 4))
    crop = draw(st.one_of(st.none(), st.tuples(SIDES, SIDES)))
    resizes, turns, recolors = (draw(st.booleans()) for _ in range(3))
    dtype = draw(st.sampled_from(sorted(NUMPY)))
    channels_last = draw(st.booleans())
    windows, shown = [], []
    for _ in range(n):
        size = draw(st.tuples(SIDES, SIDES))
        if crop is not None and not resizes:
            size = (min(size[0], crop[0]), min(size[1], crop[1]))
        windows.append(rng.integers(0, 256, (*size, 3)).astype(np.uint8))
        shown.append(size)
    roi = None
    if resizes:
        sides = np.array(shown)
        corners = np.sort(rng.random((2, n, 2)), axis=0) * sides
        start = np.minimum(corners[0], sides - 0.25).astype("f4")
        end = np.minimum(np.maximum(corners[1], start + 0.2), sides).astype("f4")
        limits = [crop or (80, 90)] * n
        shown = [tuple(int(rng.integers(1, limit + 1)) for limit in pair) for pair in limits]
        roi = (start, end, np.array(shown, "f4"))
    angles = rng.uniform(-3.2, 3.2, n) * (rng.random(n) < 0.8)
    per_sample = {
        "flip": rng.integers(0, 2, n).astype(np.int32),
        "vertical_flip": rng.integers(0, 2, n).astype(np.int32),
    }
    if turns:
        per_sample["rotation"] = np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4")
    if recolors:
        matrices = np.eye(3, 4) + rng.normal(0, 0.4, (n, 3, 4)) + [0, 0, 0, 20]
        per_sample["color"] = matrices.astype("f4")
    options = {
        "mean": [0.0] * 3 if dtype == "uint8" else rng.uniform(0, 255, 3).tolist(),
        "std": [1.0] * 3 if dtype == "uint8" else rng.uniform(1, 80, 3).tolist(),
        "fill": rng.uniform(-2, 255, 3).tolist(),
        "channels_last": channels_last,
    }
    arguments = {"per_sample": per_sample, "roi": roi, "crop_size": crop, **options}
    expected = by_operator(windows, dtype="uint8" if dtype == "uint8" else "float32", **arguments)
    if dtype == "float16":
        with np.errstate(over="ignore"):
            expected = [image.astype(np.float16) for image in expected]
        found16 = by_operator(windows, dtype="float16", **arguments)
        assert all(map(np.array_equal, found16, expected))

    def somewhere(array: npt.NDArray[Any]) -> torch.Tensor:
        size = array.dtype.itemsize
        at_end, offset = draw(st.booleans()), draw(st.integers(0, 16 // size)) * size
        return place(array, at_end=at_end, offset=offset, dtype=array.dtype)

    out = [somewhere(np.zeros_like(image)) for image in expected]
    before = driver.fake_cuda_launches()
    _kernels.crop_images(
        [somewhere(window) for window in windows],
        out,
        roi=roi,
        scratch=scratch(),
        **per_sample,
        **options,
    )
    turning = angles != 0 if turns else np.zeros(n, bool)
    launches = (~turning).any() * (1 + resizes) + turning.any() * (1 + 2 * resizes)
    assert driver.fake_cuda_launches() - before == launches
    for image, wanted in zip(out, expected, strict=True):
        np.testing.assert_array_equal(image.numpy(), wanted)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", sorted(NUMPY))
def test_windows_of_every_width_and_alignment(dtype: str, channels_last: bool) -> None:
    """Beside what must not be read; in groups of pixels that are part padding."""
    rng = np.random.default_rng(7)
    windows, tensors, flips = [], [], []
    for width, at_end, offset, flip in itertools.product(range(1, 17), (0, 1), range(4), (0, 1)):
        windows.append(rng.integers(0, 256, (2, width, 3)).astype(np.uint8))
        tensors.append(place(windows[-1], at_end=bool(at_end), offset=offset, dtype=np.uint8))
        flips.append(flip)
    options: dict[str, Any] = {
        "mean": [3.0, 2.0, 1.0],
        "std": [1.0, 1.0, 1.0],
        "channels_last": channels_last,
        "fill": [9.0, 8.0, 7.0],
    }
    per_sample = {"flip": np.array(flips, np.int32)}
    expected = by_operator(
        windows, per_sample=per_sample, roi=None, crop_size=(3, 16), dtype=dtype, **options
    )
    out = [torch.zeros(image.shape, dtype=getattr(torch, dtype)) for image in expected]
    assert all(image.data_ptr() % 16 == 0 for image in out)
    _kernels.crop_images(tensors, out, flip=flips, scratch=scratch(), **options)
    for image, wanted in zip(out, expected, strict=True):
        assert np.array_equal(image.numpy(), wanted)


@pytest.mark.parametrize("factor", [0.4, 1.0, 1.7, 2.5, 4.5])
def test_resizing_of_every_width_and_alignment(factor: float) -> None:
    """Beside what must not be read; sums of one row up to ten."""
    rng = np.random.default_rng(8)
    windows, tensors, shown = [], [], []
    for width, at_end, offset in itertools.product(range(1, 25), (0, 1), range(4)):
        windows.append(rng.integers(0, 256, (9, width, 3)).astype(np.uint8))
        tensors.append(place(windows[-1], at_end=bool(at_end), offset=offset, dtype=np.uint8))
        shown.append((max(1, int(9 / factor)), max(1, int(width / factor))))
    sizes = np.array([window.shape[:2] for window in windows], "f4")
    roi = (np.zeros_like(sizes), sizes, np.array(shown, "f4"))
    options: dict[str, Any] = {"mean": [3.0, 2.0, 1.0], "std": [1.0, 2.0, 3.0]}
    crop = (24, 64)
    expected = by_operator(
        windows, per_sample={}, roi=roi, crop_size=crop, dtype="float32", **options
    )
    out = [torch.zeros(image.shape) for image in expected]
    _kernels.crop_images(tensors, out, roi=roi, scratch=scratch(), **options)
    for image, wanted in zip(out, expected, strict=True):
        assert np.array_equal(image.numpy(), wanted)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", sorted(NUMPY))
def test_usual_crops(dtype: str, channels_last: bool) -> None:
    """Many chunks, and windows that are cut out of larger pictures."""
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 256, (180, 270, 3)).astype(np.uint8) for _ in range(3)]
    windows = [picture[9:169, 11:251] for picture in pictures]
    flips = np.array([0, 1, 0], np.int32)
    options: dict[str, Any] = {
        "mean": [123.675, 116.28, 103.53],
        "std": [58.395, 57.12, 57.375],
        "channels_last": channels_last,
    }
    expected = by_operator(
        [np.ascontiguousarray(window) for window in windows],
        per_sample={"flip": flips},
        roi=None,
        crop_size=(160, 240),
        dtype=dtype,
        **options,
    )
    out = [torch.zeros(image.shape, dtype=getattr(torch, dtype)) for image in expected]
    tensors = [torch.from_numpy(window) for window in windows]
    _kernels.crop_images(tensors, out, flip=flips.tolist(), scratch=scratch(), **options)
    for image, wanted in zip(out, expected, strict=True):
        assert np.array_equal(image.numpy(), wanted)


@pytest.mark.parametrize("dtype", sorted(NUMPY))
def test_resizing_wide_pictures(dtype: str) -> None:
    """More columns than are summed up at a time, also for one pixel; and the wrong way round."""
    rng = np.random.default_rng(6)
    widths = [4000, 1500, 3000, 2047, 900, 40, 2000, 1501]
    starts = [0.0, 3.25, 0.0, 0.5, 1.0, 39.0, 0.0, 0.25]
    ends = [4000.0, 1490.5, 3000.0, 2047.0, 900.0, 2.0, 2000.0, 1500.75]
    shown = [300, 2000, 1, 2, 2001, 60, 1000, 1500]
    windows = [rng.integers(0, 256, (3, width, 3)).astype(np.uint8) for width in widths]
    roi = (
        np.array([[0.0, start] for start in starts], "f4"),
        np.array([[3.0, end] for end in ends], "f4"),
        np.array([[2.0, size] for size in shown], "f4"),
    )
    options: dict[str, Any] = {"mean": [5.0, 6.0, 7.0], "std": [2.0, 3.0, 4.0]}
    flips = np.array([0, 1] * 4, np.int32)
    expected = by_operator(
        windows,
        per_sample={"flip": flips},
        roi=roi,
        crop_size=(3, 2001),
        dtype=dtype,
        **options,
    )
    out = [torch.zeros(image.shape, dtype=getattr(torch, dtype)) for image in expected]
    tensors = [
        place(window, at_end=bool(k % 2), offset=0, dtype=np.uint8)
        for k, window in enumerate(windows)
    ]
    _kernels.crop_images(tensors, out, roi=roi, flip=flips.tolist(), scratch=scratch(), **options)
    for image, wanted in zip(out, expected, strict=True):
        assert np.array_equal(image.numpy(), wanted)


def test_failures_are_told(driver: ctypes.CDLL) -> None:
    window, out = torch.zeros(4, 4, 3, dtype=torch.uint8), torch.zeros(3, 4, 4)
    options: dict[str, Any] = {"mean": [0] * 3, "std": [1] * 3, "scratch": scratch()}
    with pytest.raises(_kernels.KernelError, match="sample 1 does not fit its crop"):
        _kernels.crop_images([window, window], [out, out[:, :3]], **options)
    with pytest.raises(_kernels.KernelError, match="scratch memory is too small"):
        _kernels.crop_images([window], [out], **{**options, "scratch": scratch(100)})


def test_halves_are_the_nearest() -> None:
    """All 16-bit numbers, what lies halfway between two, and a quarter from either."""
    steps = np.arange(256, dtype=np.float32)
    window = torch.from_numpy(np.repeat(steps[None, :, None], 3, 2).astype(np.uint8))
    ramps = [(0.0, 2.0**-26), (65520.0, 64.0), (1e9, 1e9), (1e30, 1e30)]
    for exponent in range(-25, 16):
        step = 2.0 ** (max(exponent, -14) - 12)
        ramps += [
            (start, step) for start in np.arange(2.0**exponent, 2.0 ** (exponent + 1), 256 * step)
        ]
    ramps += [(-start, -step) for start, step in ramps]
    for k in range(0, len(ramps), 3):
        three = [*ramps[k : k + 3], (1.0, 1.0), (1.0, 1.0)][:3]
        out = torch.zeros(3, 1, 256, dtype=torch.float16)
        std = [1 / step for _, step in three]
        mean = [-start * by for (start, _), by in zip(three, std, strict=True)]
        _kernels.crop_images([window], [out], mean=mean, std=std, scratch=scratch())
        with np.errstate(over="ignore"):
            for channel, (start, step) in zip(out, three, strict=True):
                wanted = (np.float32(start) + steps * np.float32(step)).astype(np.float16)
                np.testing.assert_array_equal(channel.numpy().reshape(-1), wanted)
