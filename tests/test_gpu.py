"""What only a GPU can show. Run by `pytest -m gpu` where there is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import augmented
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


@pytest.mark.parametrize("fancy", [False, True])
def test_gpu_equals_cpu(make_config: Callable[..., Config], fancy: bool) -> None:
    """Labels bit-equal; images as nvJPEG and libjpeg-turbo agree (chroma upsampling differs)."""
    on_cpu = batches(make_config())
    on_gpu = batches(make_config(loader={"device": "cuda", "jpeg_fancy_upsampling": fancy}))
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert torch.equal(labels, labels2.cpu())
        difference = ((images - images2.cpu()).abs() * 0.225 * 255).flatten()
        assert difference.mean() < 1.5
        assert difference.kthvalue(int(0.999 * len(difference))).values < 32.0


def test_lossless_pictures_are_equal(make_config: Callable[..., Config], tmp_path: Path) -> None:
    root = encoded_voc.write(tmp_path / "voc")
    keys = {"root": root, "augment": {"crop_size": [64, 64]}}
    on_cpu = batches(make_config(**keys))
    on_gpu = batches(make_config(**keys, loader={"device": "cuda"}))
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert torch.equal(labels, labels2.cpu())
        assert torch.allclose(images, images2.cpu(), rtol=0, atol=1e-6)


SECTIONS: list[dict[str, Any]] = [
    {"augment": {"scale": [0.5, 2.0], "vertical_flip": 0.5, "erase": 0.5}},
    {"augment": {"crop_size": [200, 200], "transpose": 0.5, "cutmix": 0.5}},
    {"augment": {"brightness": 32.0, "contrast": 0.5, "saturation": 0.5, "hue": 36.0}},
    {"augment": {"rotate": 20.0}},
    {"augment": {"blur": 0.5, "noise": 0.5}},
    {"augment": {"cutmix": 0.3, "classmix": 0.3, "copy_paste": 0.3}},
    {"augment": {"operators": ["operators:solarize"]}},
    {"normalize": {"dtype": "uint8"}, "labels": {"dtype": "uint8", "one_hot": True}},
    {"normalize": {"dtype": "float16", "channels_last": True}, "labels": {"dtype": "int32"}},
    {"normalize": {"dtype": "bfloat16"}, "labels": {"masks": ["person", "cat"]}},
]


@pytest.mark.parametrize(
    "sections",
    SECTIONS,
    ids=lambda sections: next(iter(sections.values())).__str__()[:40],
)
def test_augmented_lossless_pictures(
    make_config: Callable[..., Config],
    tmp_path: Path,
    sections: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Labels bit-equal; images but for what DALI's operators round to levels in between."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "examples"))
    root = augmented.write_lossless(tmp_path / "voc")
    augment = {"crop_size": [96, 128], **sections.get("augment", {})}
    keys = {"root": root, **sections, "augment": augment}
    on_cpu = batches(make_config(**keys))
    on_gpu = batches(make_config(**keys, loader={"device": "cuda", "gpu_tail": "dali"}))
    level = 1.0 if sections.get("normalize", {}).get("dtype") == "uint8" else 1 / 255 / 0.225
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert images.dtype == images2.dtype
        assert images.stride() == images2.stride()
        assert torch.equal(labels, labels2.cpu())
        difference = (images.float() - images2.cpu().float()).abs() / level
        assert difference.mean() < 0.6
        assert difference.flatten().kthvalue(int(0.999 * difference.numel())).values < 3.0


# all but what DALI's own operators round in between
EXACT = [s for s in SECTIONS if not {"blur", "operators"} & {*s.get("augment", {})}]


@pytest.mark.parametrize("sections", EXACT, ids=lambda value: str(value)[:60])
def test_fused_tail_gives_the_cpus_bits(
    make_config: Callable[..., Config], tmp_path: Path, sections: dict[str, Any]
) -> None:
    """Of lossless pictures."""
    root = augmented.write_lossless(tmp_path / "voc")
    augment = {"crop_size": [96, 128], **sections.get("augment", {})}
    keys = {"root": root, **sections, "augment": augment}
    on_cpu = batches(make_config(**keys))
    on_gpu = batches(make_config(**keys, loader={"device": "cuda", "gpu_tail": "fused"}))
    for (images, labels), (images2, labels2) in zip(on_cpu, on_gpu, strict=True):
        assert images.dtype == images2.dtype
        assert images.stride() == images2.stride()
        assert torch.equal(labels, labels2.cpu())
        assert torch.equal(images, images2.cpu())


@pytest.mark.parametrize("mode", ["resize", "full", "slide"])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_validation_modes(
    make_config: Callable[..., Config], tmp_path: Path, mode: str, dtype: str
) -> None:
    root = augmented.write_lossless(tmp_path / "voc")
    keys = {"root": root, "augment": {"crop_size": [96, 128], "validation": mode}}
    found = []
    for device in "cpu", "cuda":
        config = make_config(**keys, normalize={"dtype": dtype}, loader={"device": device})
        with build_loader(config, split="val") as loader:
            found.append([tuple(tensor.cpu() for tensor in batch) for batch in loader])
    level = 1.0 if dtype == "uint8" else 1 / 255 / 0.225
    for on_cpu, on_gpu in zip(*found, strict=True):
        assert ((on_cpu[0].float() - on_gpu[0].float()).abs() / level).max() < 9
        assert all(torch.equal(a, b) for a, b in zip(on_cpu[1:], on_gpu[1:], strict=True))
