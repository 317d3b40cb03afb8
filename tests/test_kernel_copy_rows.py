"""The GPU kernel that cuts windows out of kept pictures, on the host."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from cuda_on_cpu import cuda_on_cpu, guarded, scratch
from hypothesis import given, settings
from hypothesis import strategies as st

from dali_voc.ops import _kernels


@pytest.fixture(autouse=True, scope="module")
def driver() -> Iterator[ctypes.CDLL]:
    with cuda_on_cpu() as library:
        yield library


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_windows_touch_nothing_else(driver: ctypes.CDLL, data: st.DataObject) -> None:
    """Sizes, alignments and places before pages that must not be touched; one launch for all."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    windows, out, expected = [], [], []
    for _ in range(data.draw(st.integers(1, 5))):
        height, width = data.draw(st.integers(1, 40)), data.draw(st.integers(1, 300))
        memory = guarded(
            height * width * 3, at_end=data.draw(st.booleans()), offset=data.draw(st.integers(0, 7))
        )
        memory.numpy()[:] = rng.integers(0, 256, memory.numel())
        picture = memory.view(height, width, 3)
        top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
        rows = data.draw(st.integers(0, height - top))
        columns = data.draw(st.integers(1, width - left))
        windows.append(picture[top : top + rows, left : left + columns])
        out.append(
            guarded(
                rows * columns * 3,
                at_end=data.draw(st.booleans()),
                offset=data.draw(st.integers(0, 7)),
            )
        )
        expected.append(windows[-1].numpy().copy())
    before = driver.fake_cuda_launches()
    _kernels.copy_rows(windows, out, scratch=scratch(1 << 16))
    assert driver.fake_cuda_launches() == before + any(window.numel() for window in windows)
    for found, window in zip(out, expected, strict=True):
        assert np.array_equal(found.numpy(), window.reshape(-1))


def test_what_the_driver_says_of_a_kernel_is_passed_on(driver: ctypes.CDLL) -> None:
    picture = torch.zeros((2, 2, 3), dtype=torch.uint8)
    driver.fake_cuda_refuse_modules(1)
    try:
        with pytest.raises(
            _kernels.KernelError,
            match=r"compiling the kernels of copy_rows \(this is no PTX for sm_50\) failed with",
        ):
            _kernels.copy_rows([picture], [picture.clone().view(-1)], scratch=scratch(1 << 16))
    finally:
        driver.fake_cuda_refuse_modules(0)
    _kernels.copy_rows([picture], [picture.clone().view(-1)], scratch=scratch(1 << 16))
