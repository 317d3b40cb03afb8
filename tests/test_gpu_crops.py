"""Kernels and operators that make crops, on a GPU. Run by `pytest -m gpu` where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nvidia.dali import Pipeline, fn
from test_kernel_crop_image import NUMPY, by_operator
from test_kernel_crop_label import slow

from dali_voc.ops import _kernels, crop_label, normalize_crop

pytestmark = pytest.mark.gpu

CROP = (96, 160)
CASES: dict[str, dict[str, bool]] = {
    "plain": {},
    "recoloured": {"recolors": True},
    "resized": {"resizes": True},
    "turned": {"turns": True, "recolors": True},
    "turned and resized": {"turns": True, "resizes": True},
}


def image_batch(
    *, resizes: bool = False, turns: bool = False, recolors: bool = False
) -> dict[str, Any]:
    """Windows of all sizes, and what is to become of them."""
    rng = np.random.default_rng(11)
    n = 9
    sizes = [(int(rng.integers(1, h + 1)), int(rng.integers(1, w + 1))) for h, w in [CROP] * n]
    sizes[:2] = [CROP, (CROP[0], CROP[1] - 1)]
    windows = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    angles = rng.uniform(-3, 3, n)
    per_sample = {
        "flip": rng.integers(0, 2, n).astype(np.int32),
        "vertical_flip": rng.integers(0, 2, n).astype(np.int32),
    }
    if turns:
        per_sample["rotation"] = np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4")
    if recolors:
        per_sample["color"] = (np.eye(3, 4) + rng.normal(0, 0.3, (n, 3, 4))).astype("f4")
    roi = None
    if resizes:
        ends = np.array(sizes, "f4")
        shown = np.stack([rng.integers(1, side + 1, n) for side in CROP], 1).astype("f4")
        roi = (ends * np.float32(0.1), ends * np.float32(0.9), shown)
    return {"windows": windows, "per_sample": per_sample, "roi": roi}


OPTIONS: dict[str, Any] = {"mean": [123.7, 116.3, 103.5], "std": [58.4, 57.1, 57.4]}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("dtype", sorted(NUMPY))
@pytest.mark.parametrize("case", CASES)
def test_image_kernels_equal_the_cpu_operator(case: str, dtype: str, channels_last: bool) -> None:
    batch = image_batch(**CASES[case])
    options = {**OPTIONS, "channels_last": channels_last}
    expected = by_operator(**batch, crop_size=CROP, dtype=dtype, **options)
    out = [torch.empty(image.shape, dtype=getattr(torch, dtype)).cuda() for image in expected]
    _kernels.crop_images(
        [torch.from_numpy(window).cuda() for window in batch["windows"]],
        out,
        roi=batch["roi"],
        **batch["per_sample"],
        **options,
        scratch=torch.empty(8 << 20, dtype=torch.uint8, device="cuda"),
        stream=torch.cuda.current_stream().cuda_stream,
    )
    for image, wanted in zip(out, expected, strict=True):
        np.testing.assert_array_equal(image.cpu().numpy(), wanted)


@pytest.mark.parametrize("dtype", sorted(NUMPY))
@pytest.mark.parametrize("case", CASES)
def test_image_operator_equals_the_cpu_operator(case: str, dtype: str) -> None:
    batch = image_batch(**CASES[case])
    windows, per_sample, roi = batch["windows"], batch["per_sample"], batch["roi"]
    expected = by_operator(**batch, crop_size=CROP, dtype=dtype, **OPTIONS)
    arrays = [*per_sample.values(), *(roi or ())]
    pipeline = Pipeline(batch_size=len(windows), num_threads=1, device_id=0)
    with pipeline:
        image, *nodes = fn.external_source(
            source=lambda: (windows, *arrays),
            num_outputs=1 + len(arrays),
            layout=["HWC"] + [""] * len(arrays),
        )
        given = dict(zip(per_sample, nodes, strict=False))
        region = None if roi is None else tuple(nodes[-3:])
        options = {**OPTIONS, **given, "roi": region, "dtype": dtype}
        pipeline.set_outputs(normalize_crop(image.gpu(), crop_size=CROP, **options))
    (result,) = pipeline.run()
    for i, wanted in enumerate(expected):
        np.testing.assert_array_equal(np.array(result.as_cpu()[i]), wanted)


def label_batch(*, turns: bool, scales: bool) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """Maps of all sizes, what is to become of them, and the definition's results."""
    rng = np.random.default_rng(3)
    n, crop = 6, (48, 64)
    maps = [rng.integers(0, 256, rng.integers(30, 90, 2)).astype(np.uint8) for _ in range(n)]
    angles = rng.uniform(-3, 3, n) * turns
    given = {
        "start": rng.integers(0, 30, (n, 2)).astype(np.int32),
        "scaled": np.array(
            [rng.integers(30, 120, 2) if scales else values.shape for values in maps], np.int32
        ),
        "flip": rng.integers(0, 2, n).astype(np.int32),
        "vertical_flip": rng.integers(0, 2, n).astype(np.int32),
        "rotation": np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4"),
    }
    expected = [
        slow(
            values,
            crop=crop,
            scaled=tuple(given["scaled"][i]),
            start=tuple(given["start"][i]),
            flips=(given["vertical_flip"][i], given["flip"][i]),
            rotation=given["rotation"][i],
            classes=np.arange(256),
            ignore=255,
        )
        for i, values in enumerate(maps)
    ]
    return maps, given, expected


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
@pytest.mark.parametrize(("turns", "scales"), [(False, False), (False, True), (True, False)])
def test_label_kernel_and_operator(dtype: Any, turns: bool, scales: bool) -> None:
    maps, given, expected = label_batch(turns=turns, scales=scales)
    out = [torch.empty(wanted.shape, dtype=getattr(torch, dtype)).cuda() for wanted in expected]
    _kernels.crop_labels(
        [torch.from_numpy(values).cuda() for values in maps],
        out,
        **given,
        scratch=torch.empty(1 << 20, dtype=torch.uint8, device="cuda"),
        stream=torch.cuda.current_stream().cuda_stream,
    )
    pipeline = Pipeline(batch_size=len(maps), num_threads=1, device_id=0)
    with pipeline:
        values, *nodes = fn.external_source(
            source=lambda: (maps, *given.values()), num_outputs=1 + len(given)
        )
        options = dict(zip(given, nodes, strict=True))
        pipeline.set_outputs(crop_label(values.gpu(), crop_size=(48, 64), dtype=dtype, **options))
    (result,) = pipeline.run()
    for i, wanted in enumerate(expected):
        np.testing.assert_array_equal(out[i].cpu().numpy(), wanted)
        np.testing.assert_array_equal(np.array(result.as_cpu()[i]), wanted)
