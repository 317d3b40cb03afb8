"""`normalize_crop` against NumPy, and against DALI's own operator."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn, types

from dali_voc.ops import normalize_crop

MEAN = [123.675, 116.28, 103.53]
STD = [58.395, 57.12, 57.375]


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_against_numpy_and_dali(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    crop = data.draw(st.tuples(st.integers(1, 50), st.integers(1, 70)))
    n = data.draw(st.integers(1, 4))
    sizes = [(rng.integers(1, crop[0] + 1), rng.integers(1, crop[1] + 1)) for _ in range(n)]
    windows = [rng.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    flips = rng.integers(0, 2, n).astype(np.int32)
    pipeline = Pipeline(batch_size=n, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        image = fn.external_source(source=lambda: windows, batch=True, layout="HWC")
        flip = fn.external_source(source=lambda: flips, batch=True)
        ours = normalize_crop(image, crop_size=crop, mean=MEAN, std=STD, flip=flip)
        dalis = fn.crop_mirror_normalize(
            image,
            crop=crop,
            crop_pos_x=0.0,
            crop_pos_y=0.0,
            out_of_bounds_policy="pad",
            mirror=flip,
            mean=MEAN,
            std=STD,
            dtype=types.FLOAT,
            output_layout="CHW",
        )
        pipeline.set_outputs(ours, dalis)
    ours_batch, dalis_batch = pipeline.run()
    for i, window in enumerate(windows):
        expected = np.zeros((3, *crop))
        filled = ((window - np.array(MEAN)) / np.array(STD)).transpose(2, 0, 1)
        expected[:, : window.shape[0], : window.shape[1]] = filled
        expected = expected[:, :, ::-1] if flips[i] else expected
        # values are below 3 in size, so float32 keeps them to 2.4e-7; two roundings
        np.testing.assert_allclose(np.array(ours_batch[i]), expected, rtol=0, atol=5e-7)
        np.testing.assert_allclose(np.array(dalis_batch[i]), expected, rtol=0, atol=5e-7)


def triangle_resize(
    picture: np.ndarray, start: tuple[float, float], end: tuple[float, float], size: tuple[int, int]
) -> np.ndarray:
    """By the definition: each result pixel is the mean of the source under a triangle."""
    result = picture.astype(float)
    for axis in (0, 1):
        step = (end[axis] - start[axis]) / size[axis]
        rows = []
        for i in range(size[axis]):
            centre = start[axis] + (i + 0.5) * step
            distance = np.abs(np.arange(result.shape[axis]) + 0.5 - centre)
            weights = np.maximum(0, 1 - distance / max(step, 1))
            rows.append(np.tensordot(weights / weights.sum(), result, (0, axis)))
        result = np.stack(rows, axis)
    return result


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_resizing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = (int(k) for k in rng.integers(1, 60, 2))
    window = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
    size = tuple(int(k) for k in rng.integers(1, 80, 2))
    # any part of the window that is not empty
    corners = np.sort(rng.random((2, 2)), axis=0) * [height, width]
    start, end = corners[0].astype("f4"), np.maximum(corners[1], corners[0] + 0.3).astype("f4")
    end = np.minimum(end, np.array([height, width], "f4"))
    start = np.minimum(start, end - np.float32(0.25))
    arrays = (start, end, np.array(size, "f4"))
    flips = rng.integers(0, 2, 2)
    crop = (size[0] + int(rng.integers(0, 9)), size[1] + int(rng.integers(0, 9)))
    pipeline = Pipeline(batch_size=1, num_threads=1, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        image = fn.external_source(source=lambda: [window], layout="HWC")
        roi = tuple(fn.external_source(source=lambda: list(arrays), num_outputs=3, batch=False))
        resized = normalize_crop(
            image,
            crop_size=crop,
            mean=(0, 0, 0),
            std=(1, 1, 1),
            fill=(1, 2, 3),
            roi=roi,
            flip=int(flips[1]),
            vertical_flip=int(flips[0]),
        )
        pipeline.set_outputs(resized)
    found = np.array(pipeline.run()[0][0]).transpose(1, 2, 0)
    expected = np.empty((*crop, 3))
    expected[:] = (1, 2, 3)
    expected[: size[0], : size[1]] = triangle_resize(window, start, end, size)
    expected = expected[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    # float32 sums of up to some hundred terms of up to 255
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)
