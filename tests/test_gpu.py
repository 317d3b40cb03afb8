"""What only a GPU can show. Run by `pytest -m gpu` where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import encoded_voc
import pytest
import torch

from dali_voc import Config, build_loader

pytestmark = pytest.mark.gpu


def batches(config: Config) -> list[tuple[torch.Tensor, torch.Tensor]]:
    with build_loader(config) as loader:
        return [(images, labels) for _ in range(2) for images, labels in loader]


def test_tensors_lie_on_the_gpu(make_config: Callable[..., Config]) -> None:
    for images, labels in batches(make_config(loader={"device": "cuda"})):
        assert images.is_cuda
        assert labels.is_cuda
        assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)


def test_gpu_equals_cpu(make_config: Callable[..., Config]) -> None:
    """Labels bit-equal; images as nvJPEG and libjpeg-turbo agree (chroma upsampling differs)."""
    on_cpu = batches(make_config())
    on_gpu = batches(make_config(loader={"device": "cuda"}))
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert torch.equal(labels, labels2.cpu())
        difference = ((images - images2.cpu()).abs() * 0.225 * 255).flatten()
        assert difference.mean() < 1.0
        assert difference.kthvalue(int(0.999 * len(difference))).values < 12.0


def test_lossless_pictures_are_equal(make_config: Callable[..., Config], tmp_path: Path) -> None:
    root = encoded_voc.write(tmp_path / "voc")
    keys = {"root": root, "augment": {"crop_size": [64, 64]}}
    on_cpu = batches(make_config(**keys))
    on_gpu = batches(make_config(**keys, loader={"device": "cuda"}))
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert torch.equal(labels, labels2.cpu())
        assert torch.allclose(images, images2.cpu(), rtol=0, atol=1e-6)
