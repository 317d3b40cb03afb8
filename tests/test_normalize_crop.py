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
