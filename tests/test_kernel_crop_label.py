"""The GPU kernel of `crop_label` and what launches it, on the host."""

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from cuda_on_cpu import cuda_on_cpu, guarded, scratch
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn
from PIL import Image

from dali_voc.labels import LabelTables
from dali_voc.ops import _kernels, crop_label, decode_label

NUMPY = {"uint8": np.uint8, "int32": np.int32, "int64": np.int64}


@pytest.fixture(autouse=True, scope="module")
def driver() -> Iterator[ctypes.CDLL]:
    with cuda_on_cpu() as library:
        yield library


def slow(
    picture: npt.NDArray[np.uint8],
    *,
    crop: tuple[int, int],
    scaled: tuple[int, int],
    start: tuple[int, int],
    flips: tuple[int, int],
    rotation: npt.NDArray[np.float32],
    classes: npt.NDArray[np.int64],
    ignore: int,
) -> npt.NDArray[np.int64]:
    """Pixel by pixel, by the definition."""
    unturned = np.full(crop, ignore)
    for y in range(min(crop[0], scaled[0] - start[0])):
        for x in range(min(crop[1], scaled[1] - start[1])):
            row = (2 * (start[0] + y) + 1) * picture.shape[0] // (2 * scaled[0])
            column = (2 * (start[1] + x) + 1) * picture.shape[1] // (2 * scaled[1])
            unturned[y, x] = classes[picture[row, column]]
    unturned = unturned[:: -1 if flips[0] else 1, :: -1 if flips[1] else 1]
    cosine, sine = (float(value) for value in rotation)
    if (cosine, sine) == (1, 0):
        return unturned
    result = np.full(crop, ignore)
    for i in range(crop[0]):
        for j in range(crop[1]):
            along, down = j + 0.5 - crop[1] / 2, i + 0.5 - crop[0] / 2
            x = along * cosine - down * sine + crop[1] / 2
            y = along * sine + down * cosine + crop[0] / 2
            if 0 <= x < crop[1] and 0 <= y < crop[0]:
                result[i, j] = unturned[int(y), int(x)]
    return result


SIDES = st.one_of(st.integers(1, 9), st.integers(1, 40), st.sampled_from([16, 32]))


@given(data=st.data())
@settings(max_examples=250, deadline=None)
def test_against_the_definition(data: st.DataObject, driver: ctypes.CDLL) -> None:
    """All options, mixed sizes, odd alignments, nothing else touched, one launch."""
    draw = data.draw
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(sorted(NUMPY)))
    scales, turns, maps = (draw(st.booleans()) for _ in range(3))
    limit = 256 if dtype == "uint8" else 65536
    classes = rng.integers(0, limit, 256) if maps else np.arange(256)
    ignore = int(rng.integers(0, limit))
    angles = rng.uniform(-3.2, 3.2, n) * (rng.random(n) < 0.8) * turns
    rotation = np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4")
    pictures, out, expected, scaled, start = [], [], [], [], []
    flips = rng.integers(0, 2, (n, 2))
    for i in range(n):
        size, crop = draw(st.tuples(SIDES, SIDES)), draw(st.tuples(SIDES, SIDES))
        scaled.append(draw(st.tuples(SIDES, SIDES)) if scales else size)
        start.append(tuple(int(rng.integers(0, side)) for side in scaled[-1]))
        values = rng.integers(0, 256, size).astype(np.uint8)
        memory = guarded(
            values.size, at_end=draw(st.booleans()), offset=draw(st.integers(0, 3))
        ).reshape(size)
        memory.numpy()[:] = values
        pictures.append(memory)
        item = np.dtype(NUMPY[dtype]).itemsize
        offset = item * draw(st.sampled_from([0, 0, 0, 1, 2, 3]))
        place: dict[str, Any] = {"at_end": draw(st.booleans()), "offset": offset}
        out.append(guarded(crop[0] * crop[1], dtype=NUMPY[dtype], **place).reshape(crop))
        expected.append(
            slow(
                values,
                crop=crop,
                scaled=scaled[-1],
                start=start[-1],
                flips=(flips[i, 0], flips[i, 1]),
                rotation=rotation[i],
                classes=classes,
                ignore=ignore,
            )
        )
    before = driver.fake_cuda_launches()
    _kernels.crop_labels(
        pictures,
        out,
        start=start,
        scaled=scaled if scales else None,
        flip=flips[:, 1].tolist(),
        vertical_flip=flips[:, 0].tolist(),
        rotation=rotation if turns else None,
        classes=classes.tolist() if maps else None,
        ignore_index=ignore,
        scratch=scratch(1 << 16),
    )
    assert driver.fake_cuda_launches() == before + 1
    for found, wanted in zip(out, expected, strict=True):
        assert np.array_equal(found.numpy(), wanted)


@pytest.mark.parametrize("dtype", sorted(NUMPY))
def test_many_chunks_and_sizes_beyond_32_bits(dtype: str) -> None:
    rng = np.random.default_rng(2)
    wide = rng.integers(0, 256, (1, 70000)).astype(np.uint8)
    large = rng.integers(0, 256, (300, 500)).astype(np.uint8)
    pictures = [torch.from_numpy(wide), torch.from_numpy(large)]
    scaled = [(1, 60001), (300, 500)]
    kind = getattr(torch, dtype)
    out = [torch.zeros(1, 60001, dtype=kind), torch.zeros(301, 480, dtype=kind)]
    _kernels.crop_labels(pictures, out, start=[(0, 0), (7, 3)], scaled=scaled, scratch=scratch())
    columns = (2 * np.arange(60001) + 1) * 70000 // (2 * 60001)
    assert np.array_equal(out[0].numpy(), wide[:, columns])
    expected = np.full((301, 480), 255)
    expected[:293] = large[7:, 3:483]
    assert np.array_equal(out[1].numpy(), expected)


def png(values: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return np.frombuffer(file.getvalue(), np.uint8)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_gives_what_decode_label_gives(seed: int) -> None:
    """From the map once decoded; the place of the crop by the documented arithmetic."""
    rng = np.random.default_rng(seed)
    n, crop = 3, tuple(int(side) for side in rng.integers(1, 40, 2))
    maps = [rng.integers(0, 256, rng.integers(1, 50, 2)).astype(np.uint8) for _ in range(n)]
    angles = rng.uniform(-3, 3, n) * (rng.random(n) < 0.7)
    arrays = {
        "position": rng.random((n, 2)).astype("f4"),
        "scale": rng.uniform(0.5, 2, (n, 2)).astype("f4"),
        "flip": rng.integers(0, 2, n).astype(np.int32),
        "vertical_flip": rng.integers(0, 2, n).astype(np.int32),
        "rotation": np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4"),
    }
    classes = rng.integers(0, 200, 256)
    dtype = str(rng.choice(sorted(NUMPY)))
    pipeline = Pipeline(batch_size=n, num_threads=1, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        file, name, *nodes = fn.external_source(
            source=lambda: (
                [png(values) for values in maps],
                [np.frombuffer(b"name", np.uint8)] * n,
                *arrays.values(),
            ),
            num_outputs=2 + len(arrays),
        )
        decoded = decode_label(
            file,
            name,
            tables=LabelTables(
                colors=(),
                color_classes=(),
                values=tuple(range(256)),
                value_classes=tuple(int(number) for number in classes),
            ),
            crop_size=crop,
            ignore_index=201,
            dtype=dtype,  # type: ignore[arg-type]
            **dict(zip(arrays, nodes, strict=True)),
        )
        pipeline.set_outputs(decoded.label)
    (labels,) = pipeline.run()
    scaled, start = [], []
    for values, scale, position in zip(maps, arrays["scale"], arrays["position"], strict=True):
        size = [
            max(1, int(np.floor(side * float(by) + 0.5)))
            for side, by in zip(values.shape, scale, strict=True)
        ]
        scaled.append(size)
        start.append(
            [
                0 if side <= want else min(int(float(share) * (side - want + 1)), side - want)
                for side, want, share in zip(size, crop, position, strict=True)
            ]
        )
    out = [torch.zeros(crop, dtype=getattr(torch, dtype)) for _ in range(n)]
    _kernels.crop_labels(
        [torch.from_numpy(values) for values in maps],
        out,
        start=start,
        scaled=scaled,
        flip=arrays["flip"].tolist(),
        vertical_flip=arrays["vertical_flip"].tolist(),
        rotation=arrays["rotation"],
        classes=classes.tolist(),
        ignore_index=201,
        scratch=scratch(1 << 16),
    )
    for i, found in enumerate(out):
        assert np.array_equal(found.numpy(), np.array(labels[i]))


def test_failures_are_told() -> None:
    values, out = torch.zeros(4, 4, dtype=torch.uint8), torch.zeros(4, 4, dtype=torch.uint8)
    with pytest.raises(_kernels.KernelError, match="sample 1 does not fit its picture"):
        _kernels.crop_labels(
            [values, values], [out, out], start=[(0, 0), (0, 4)], scratch=scratch()
        )
    with pytest.raises(_kernels.KernelError, match="1, 4 or 8 bytes"):
        _kernels.crop_labels([values], [out.half()], scratch=scratch())
    with pytest.raises(ValueError, match="3 classes, expected one for each of 256"):
        _kernels.crop_labels([values], [out], classes=[1, 2, 3], scratch=scratch())


def test_the_operator_refuses_what_it_cannot_do() -> None:
    pipeline = Pipeline(batch_size=1, num_threads=1, device_id=None)
    with pipeline:
        values = fn.external_source(source=lambda: [np.zeros((2, 2), np.uint8)])
        with pytest.raises(ValueError, match="on the CPU, expected them on a GPU"):
            crop_label(values, crop_size=(2, 2))
        with pytest.raises(ValueError, match="ignore_index: found 256, expected a class"):
            crop_label(values.gpu(), crop_size=(2, 2), ignore_index=256)
        with pytest.raises(ValueError, match="2 classes, expected one for each of 256 values"):
            crop_label(values.gpu(), crop_size=(2, 2), classes=[1, 2])
