"""The GPU kernel of `color_to_index` and what launches it, on the host."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from cuda_on_cpu import cuda_on_cpu, guarded, scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from test_color_to_index import VOC, VOC_CLASSES, every_color, expected_table

from dali_voc.ops import _kernels

TYPES = {1: torch.uint8, 4: torch.int32, 8: torch.int64}


@pytest.fixture(autouse=True, scope="module")
def driver() -> Iterator[ctypes.CDLL]:
    with cuda_on_cpu() as library:
        yield library


def run(
    pictures: Sequence[torch.Tensor], out: Sequence[torch.Tensor], **options: Any
) -> list[tuple[int, int]]:
    """Map into `out`; return the counts of unknown colours."""
    unknown = torch.full((len(pictures), 2), 7, dtype=torch.int32)
    settings = {"colors": VOC, "classes": VOC_CLASSES, "instead": 99, **options}
    _kernels.color_to_index(pictures, out, unknown, scratch=scratch(), **settings)
    return [(int(pixels), int(color)) for pixels, color in unknown]


@pytest.mark.parametrize("size", TYPES)
def test_all_colors_exhaustively(size: int, driver: ctypes.CDLL) -> None:
    rgb = torch.from_numpy(every_color())
    out = torch.empty(rgb.shape[:2], dtype=TYPES[size])
    before = driver.fake_cuda_launches()
    ((pixels, color),) = run([rgb], [out])
    assert driver.fake_cuda_launches() == before + 1
    expected = expected_table(VOC, VOC_CLASSES, 99)
    assert np.array_equal(out.numpy().reshape(-1), expected)
    assert pixels == 256**3 - len(VOC)
    assert color == 1  # black is known, (0, 0, 1) is not


@pytest.mark.parametrize("n", [1, 256, 3000, 60000])
def test_large_and_adverse_tables_exhaustively(n: int) -> None:
    rng = np.random.default_rng(n)
    keys = rng.choice(256**3, n, replace=False)
    keys[: n // 2] = 0x7F0000 + np.arange(n // 2)  # neighbours
    keys = np.unique(keys)
    colors = [(int(k) >> 16, int(k) >> 8 & 255, int(k) & 255) for k in keys]
    classes = rng.integers(0, 60001, len(keys)).tolist()
    rgb = torch.from_numpy(every_color())
    out = torch.empty(rgb.shape[:2], dtype=torch.int32)
    ((pixels, color),) = run([rgb], [out], colors=colors, classes=classes, instead=65534)
    assert np.array_equal(out.numpy().reshape(-1), expected_table(colors, classes, 65534))
    unknown = np.setdiff1d(np.arange(len(keys) + 1), keys)  # among so many, one is missing
    assert (pixels, color) == (256**3 - len(keys), unknown[0])


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_mixed_batches_touch_nothing_else(data: st.DataObject) -> None:
    """Sizes, alignments and places before pages that must not be touched; one launch for all."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    element = data.draw(st.sampled_from(sorted(TYPES)))
    sizes = st.one_of(st.integers(0, 40), st.integers(4090, 4110), st.integers(0, 20000))
    pictures, out, truth, counts = [], [], [], []
    for pixels in data.draw(st.lists(sizes, min_size=1, max_size=9)):
        known = rng.integers(0, len(VOC), pixels)
        rgb = np.array(VOC, np.uint8)[known]
        expected = np.array(VOC_CLASSES)[known]
        odd = np.flatnonzero(rng.random(pixels) < 0.01)
        rgb[odd] = 1, 2, 3
        expected[odd] = 99
        at_end, offset = data.draw(st.booleans()), data.draw(st.integers(0, 15))
        memory = guarded(3 * pixels, at_end=at_end, offset=offset)
        memory.numpy()[:] = rgb.reshape(-1)
        pictures.append(memory)
        dtype = {1: np.uint8, 4: np.int32, 8: np.int64}[element]
        offset = element * data.draw(st.integers(0, 16 // element))
        out.append(guarded(pixels, at_end=data.draw(st.booleans()), offset=offset, dtype=dtype))
        truth.append(expected)
        counts.append((len(odd), 0x010203 if len(odd) else -1))
    assert run(pictures, out) == counts
    for found, expected in zip(out, truth, strict=True):
        assert np.array_equal(found.numpy(), expected)


def test_failures_are_told(driver: ctypes.CDLL) -> None:
    rgb, out = torch.zeros(2, 2, 3, dtype=torch.uint8), torch.zeros(2, 2, dtype=torch.uint8)
    unknown = torch.zeros(1, 2, dtype=torch.int32)
    options: dict[str, Any] = {"colors": VOC, "classes": VOC_CLASSES, "instead": 0}
    with pytest.raises(_kernels.KernelError, match="scratch memory is too small"):
        _kernels.color_to_index([rgb], [out], unknown, scratch=scratch(100), **options)
    with pytest.raises(_kernels.KernelError, match="1, 4 or 8 bytes"):
        _kernels.color_to_index([rgb], [out.half()], unknown, scratch=scratch(), **options)
    driver.fake_cuda_lose_context(1)
    try:
        with pytest.raises(_kernels.KernelError, match="no CUDA context"):
            _kernels.color_to_index([rgb], [out], unknown, scratch=scratch(), **options)
    finally:
        driver.fake_cuda_lose_context(0)
    with pytest.raises(_kernels.KernelError, match="No such file"):
        _kernels.use_driver("/no/such/driver.so")  # type: ignore[arg-type]
