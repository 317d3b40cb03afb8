"""PNG decoded on a real GPU, by the real nvCOMP. Run by `pytest -m gpu` where there is one."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from nvidia.dali import Pipeline, fn
from png_writer import GRAY, PALETTE, RGB, write_png
from test_kernel_png import (
    ODD,
    TABLES,
    by_pillow,
    deflated,
    expected_classes,
    real_files,
    size_of,
    some_windows,
)
from test_png_window import KINDS, PALETTE_COLORS, picture

from dali_voc.errors import SampleError
from dali_voc.ops._kernels import Window
from dali_voc.ops._kernels import decode_png as decode_by_kernels
from dali_voc.ops.experimental import check_png, decode_png, decode_png_label, nvcomp_path

pytestmark = pytest.mark.gpu

Pixels = npt.NDArray[Any]


def by_kernels(
    files: Sequence[bytes], windows: Sequence[Window]
) -> tuple[list[Pixels], npt.NDArray[Any]]:
    device = torch.device("cuda")
    out = [torch.full((h, w, 3), 77, dtype=torch.uint8, device=device) for *_, h, w in windows]
    reports = torch.full((len(files), 4), 7, dtype=torch.int32, device=device)
    decode_by_kernels(
        [np.frombuffer(file, np.uint8) for file in files],
        out,
        reports,
        windows=windows,
        nvcomp=nvcomp_path(),
        scratch=torch.empty(256 << 20, dtype=torch.uint8, device=device),
        host=torch.empty(64 << 20, dtype=torch.uint8, pin_memory=True),
        threads=4,
        stream=torch.cuda.current_stream().cuda_stream,
    )
    return [tensor.cpu().numpy() for tensor in out], reports.cpu().numpy()


def by_operator(
    files: Sequence[bytes], windows: Sequence[Window], **label: Any
) -> tuple[list[Pixels], npt.NDArray[Any]]:
    names = [np.frombuffer(f"{i}.png".encode(), np.uint8) for i in range(len(files))]
    bounds = np.array(windows, np.int32)
    inputs = [
        [np.frombuffer(file, np.uint8) for file in files],
        names,
        list(bounds[:, :2].copy()),
        list(bounds[:, 2:].copy()),
    ]
    pipeline = Pipeline(batch_size=len(files), num_threads=4, device_id=0, prefetch_queue_depth=1)
    with pipeline:
        data, name, start, shape = fn.external_source(source=lambda: inputs, num_outputs=4)
        decode: Any = decode_png_label if label else decode_png
        pipeline.set_outputs(*decode(data, name, start=start, shape=shape, **label))
    pipeline.build()
    for _ in range(3):  # memory of earlier batches is used again
        pictures, reports = pipeline.run()
    found = pictures.as_cpu()
    return [np.array(found[i]) for i in range(len(files))], np.array(reports.as_cpu().as_array())


@pytest.mark.parametrize("decode", [by_kernels, by_operator])
def test_all_kinds_equal_pillow(decode: Any) -> None:
    rng = np.random.default_rng(5)
    files = [path.read_bytes() for path in real_files()]
    for color, depth in KINDS:
        for shape in [(1, 1), (5, 1), (33, 5), (65, 37), (17, 130), (700, 20)]:
            filters = [int(f) for f in rng.integers(0, 5, shape[0])]
            files.append(picture(rng, color, depth, shape, filters=filters, idat_sizes=3000))
    whole = [(0, 0, *size_of(file)) for file in files]
    for windows in whole, some_windows(rng, files):
        found, reports = decode(files, windows)
        check_png(reports, [f"{i}" for i in range(len(files))])
        for file, ours, (y, x, h, w) in zip(files, found, windows, strict=True):
            assert np.array_equal(ours, by_pillow(file)[y : y + h, x : x + w])


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels(dtype: str) -> None:
    rng = np.random.default_rng(1)
    files, truth = [], []
    for color, depth in [(GRAY, 8), (PALETTE, 1), (PALETTE, 4), (PALETTE, 8), (RGB, 8)] * 3:
        shape = (int(rng.integers(1, 300)), int(rng.integers(1, 200)))
        values = rng.integers(0, 2**depth, (*shape, 1))
        if color == RGB:
            values = np.array([*PALETTE_COLORS[:90], (1, 2, 3)])[rng.integers(0, 91, shape)]
        file = write_png(values, color=color, depth=depth, palette=PALETTE_COLORS[: 2**depth])
        files.append(file)
        truth.append(expected_classes(file, values, color, True))
    windows = some_windows(rng, files)
    found, reports = by_operator(files, windows, tables=TABLES, unknown=ODD, dtype=dtype)
    for ours, expected, (y, x, h, w), report in zip(found, truth, windows, reports, strict=True):
        cut = expected[y : y + h, x : x + w]
        assert ours.dtype == np.dtype(dtype)
        assert np.array_equal(ours, np.where(cut < 0, ODD, cut))
        assert report[0] == 0
        assert report[2] == np.count_nonzero(cut < 0)


@pytest.mark.parametrize("decode", [by_kernels, by_operator])
def test_damage_is_reported(decode: Any) -> None:
    """Sound deflate streams of the wrong length or with impossible filters; nothing hostile."""
    good = deflated(zlib.compress)
    short = deflated(lambda raw: zlib.compress(raw[:-28]))
    filters = deflated(lambda raw: zlib.compress(b"\x05" + raw[1:]))
    whole: Window = (0, 0, 40, 9)
    for bad, said in [(short, "bytes, too few"), (filters, "unknown row filter in row 0")]:
        found, reports = decode([good, bad, good], [whole] * 3)
        assert np.array_equal(found[0], by_pillow(good))
        assert np.array_equal(found[2], by_pillow(good))
        assert not found[1].any()
        with pytest.raises(SampleError, match=rf"b: damaged PNG: .*{said}"):
            check_png(reports, ["a", "b", "c"])


def test_what_the_cpu_sees_names_the_file() -> None:
    good = deflated(zlib.compress)
    bad = good[:60] + bytes([good[60] ^ 1]) + good[61:]
    message = r"dali_voc, sample 1: 1\.png: its image: damaged PNG: a chunk's"
    with pytest.raises(RuntimeError, match=message):
        by_operator([good, bad], [(0, 0, 1, 1)] * 2)
