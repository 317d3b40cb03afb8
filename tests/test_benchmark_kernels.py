"""What the GPU benchmark launches to time our kernels alone, on the host: results are right."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from cuda_on_cpu import cuda_on_cpu

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.gpu.our_kernels import OUR_KERNELS


@pytest.mark.parametrize("name", OUR_KERNELS)
def test_kernel_is_timed_and_right(name: str) -> None:
    with cuda_on_cpu() as driver:
        before = driver.fake_cuda_launches()
        moved = OUR_KERNELS[name](torch.device("cpu"))
        assert driver.fake_cuda_launches() > before
    assert moved["bytes"] > 0
    assert moved["seconds"] > 0
