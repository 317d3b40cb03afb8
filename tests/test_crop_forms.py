"""In what forms crops are stored: all of them are float32 planes, rearranged and rounded."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn

from dali_voc.ops import normalize_crop

DTYPES = "float32", "float16", "bfloat16", "uint8"
Array = npt.NDArray[Any]


def run(windows: list[Array], forms: list[dict[str, Any]], **per_sample: Array) -> list[list[Any]]:
    """The crops in each of several forms, bfloat16 as its bits."""
    n = len(windows)
    pipeline = Pipeline(batch_size=n, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        image, *nodes = fn.external_source(
            source=lambda: (windows, *per_sample.values()),
            num_outputs=1 + len(per_sample),
            layout=["HWC"] + [""] * len(per_sample),
        )
        given_nodes = dict(zip(per_sample, nodes, strict=True))
        roi = tuple(given_nodes.pop(f"roi_{part}") for part in "abc" if f"roi_{part}" in per_sample)
        pipeline.set_outputs(
            *(normalize_crop(image, roi=roi or None, **given_nodes, **form) for form in forms)
        )
    return [[np.array(output[i]) for i in range(n)] for output in pipeline.run()]


def rounded(values: Array, dtype: str) -> Array:
    """By NumPy and PyTorch; bfloat16 as its bits."""
    if dtype == "uint8":
        return np.floor(np.clip(values, 0, 255) + np.float32(0.5)).astype(np.uint8)
    if dtype == "bfloat16":
        return torch.from_numpy(values).bfloat16().view(torch.int16).numpy()
    with np.errstate(over="ignore"):
        return values.astype(dtype)


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_every_form_is_float32_rearranged_and_rounded(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 3))
    sides = st.one_of(st.integers(1, 70), st.sampled_from([16, 32, 48, 64]))
    crop = data.draw(st.tuples(st.integers(1, 6), sides))
    resizes, recolors = data.draw(st.booleans()), data.draw(st.booleans())
    sizes = [
        (int(rng.integers(1, crop[0] + 1)), data.draw(st.integers(1, crop[1]))) for _ in range(n)
    ]
    windows = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    flips = {
        "flip": rng.integers(0, 2, n).astype(np.int32),
        "vertical_flip": rng.integers(0, 2, n).astype(np.int32),
    }
    others: dict[str, Array] = {}
    if resizes:
        ends = np.array(sizes, "f4")
        others |= {"roi_a": ends * np.float32(0.1), "roi_b": ends, "roi_c": np.array(sizes, "f4")}
    if recolors:
        matrices = np.eye(3, 4) + rng.normal(0, 0.4, (n, 3, 4)) + [0, 0, 0, 20]
        others["color"] = matrices.astype("f4")
    plain = data.draw(st.booleans())
    colors: dict[str, Any] = {
        "mean": [0.0] * 3 if plain else rng.uniform(0, 255, 3).tolist(),
        "std": [1.0] * 3 if plain else rng.uniform(0.5, 80, 3).tolist(),
        "fill": rng.uniform(-2, 255, 3).tolist(),
        "crop_size": crop,
    }
    (base,) = run(windows, [colors], **others)
    forms = [(dtype, last) for dtype in DTYPES for last in (False, True)]
    found = run(
        windows,
        [{**colors, "dtype": dtype, "channels_last": last} for dtype, last in forms],
        **flips,
        **others,
    )
    for (dtype, last), crops in zip(forms, found, strict=True):
        for i, values in enumerate(base):
            down, right = (-1 if flip[i] else 1 for flip in (flips["vertical_flip"], flips["flip"]))
            wanted = rounded(values[:, ::down, ::right].copy(), dtype)
            wanted = wanted.transpose(1, 2, 0) if last else wanted
            np.testing.assert_array_equal(crops[i], wanted, err_msg=f"{dtype} {last}")


# what comes out: 0..255, numbers too small and too large for float16, and those of either sign
@pytest.mark.parametrize(
    ("mean", "std"), [(0, 1), (0, 2.0**20), (3, 2.0**-9), (128, 2.0**22), (100, 2.0**-9)]
)
def test_sixteen_bits_are_the_nearest(mean: float, std: float) -> None:
    """Many numbers, among them what lies halfway between two."""
    rng = np.random.default_rng(0)
    n = 96
    levels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, axis=2)
    matrices = np.zeros((n, 3, 4), "f4")
    # level * step + start
    matrices[:, range(3), range(3)] = 2.0 ** -rng.integers(0, 17, (n, 3)) * rng.integers(
        1, 4, (n, 3)
    )
    matrices[:, :, 3] = 2.0 ** rng.integers(-8, 8, (n, 3))
    matrices[n // 2 :, :, 3] *= rng.random((n - n // 2, 3)).astype("f4")
    colors: dict[str, Any] = {"mean": [mean] * 3, "std": [std] * 3, "crop_size": (1, 256)}
    forms = [{**colors, "dtype": dtype} for dtype in ("float32", "float16", "bfloat16")]
    base, halves, bfloats = run([levels] * n, forms, color=matrices)
    ties = 0
    for values, half, bfloat in zip(base, halves, bfloats, strict=True):
        assert np.array_equal(half, rounded(values, "float16"))
        assert np.array_equal(bfloat, rounded(values, "bfloat16"))
        ties += int((values.view(np.uint32) << 16 == 1 << 31).sum())
    assert ties > 50


def test_what_is_no_number() -> None:
    window = np.zeros((1, 1, 3), np.uint8)
    fill = [float("inf"), float("-inf"), float("nan")]
    colors: dict[str, Any] = {"mean": [0] * 3, "std": [1] * 3, "fill": fill, "crop_size": (1, 40)}
    forms = [{**colors, "dtype": dtype} for dtype in ("float16", "bfloat16")]
    (half,), (bfloat,) = run([window], forms)
    for values in half.astype(np.float32), torch.from_numpy(bfloat).view(torch.bfloat16).float():
        np.testing.assert_array_equal(values[:, 0, 1:], np.repeat([fill], 39, 0).T)
