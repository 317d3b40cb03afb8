"""`color_to_index`, and the colour tables on all 256^3 colours."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn
from png_writer import PALETTE, write_png
from test_label_operator import decode

from dali_voc.errors import SampleError
from dali_voc.labels import LabelTables, voc_colormap
from dali_voc.ops import check_unknown, color_to_index

VOC = [*voc_colormap(21), voc_colormap(256)[255]]
VOC_CLASSES = [*range(21), 255]


def run(pictures: Sequence[np.ndarray], **options: Any) -> list[np.ndarray]:
    pipeline = Pipeline(
        batch_size=len(pictures), num_threads=2, device_id=None, prefetch_queue_depth=1
    )
    with pipeline:
        rgb = fn.external_source(source=lambda: list(pictures), batch=True, layout="HWC")
        pipeline.set_outputs(color_to_index(rgb, **options))
    (output,) = pipeline.run()
    assert output.layout() == "HW"
    return [np.array(output[i]) for i in range(len(pictures))]


def every_color() -> np.ndarray:
    """All 256^3 colours as a picture of 4096 x 4096."""
    key = np.arange(256**3, dtype=np.uint32).reshape(4096, 4096)
    return np.stack([key >> 16, key >> 8 & 255, key & 255], axis=2).astype(np.uint8)


def expected_table(colors: Sequence[Any], classes: Sequence[int], unknown: int) -> np.ndarray:
    table = np.full(256**3, unknown)
    for (r, g, b), index in zip(colors, classes, strict=True):
        table[r * 65536 + g * 256 + b] = index
    return table


def test_all_colors_exhaustively_by_rgb() -> None:
    (result,) = run([every_color()], colors=VOC, classes=VOC_CLASSES, unknown=99)
    assert np.array_equal(result.reshape(-1), expected_table(VOC, VOC_CLASSES, 99))


@pytest.mark.parametrize("n", [1, 256, 3000, 60000])
def test_large_and_adverse_tables_exhaustively(n: int) -> None:
    rng = np.random.default_rng(n)
    keys = rng.choice(256**3, n, replace=False)
    keys[: n // 2] = 0x7F0000 + np.arange(n // 2)  # neighbours
    keys = np.unique(keys)
    colors = [(int(k) >> 16, int(k) >> 8 & 255, int(k) & 255) for k in keys]
    classes = rng.integers(0, 60001, len(keys)).tolist()
    (result,) = run([every_color()], colors=colors, classes=classes, unknown=65534, dtype="int32")
    assert np.array_equal(result.reshape(-1), expected_table(colors, classes, 65534))


def test_all_colors_exhaustively_by_palette() -> None:
    """Each of 65,536 palettes of 256 colours, each file using all of its palette."""
    tables = LabelTables(
        colors=tuple(r << 16 | g << 8 | b for r, g, b in VOC),
        color_classes=tuple(VOC_CLASSES),
        values=(),
        value_classes=(),
    )
    expected = expected_table(VOC, VOC_CLASSES, 99).reshape(-1, 256)
    values = np.arange(256).reshape(16, 16)
    colors = every_color().reshape(-1, 256, 3)
    template = write_png(values, color=PALETTE, depth=8, palette=[(0, 0, 0)] * 256, filters=[0])
    # only the palette's bytes and their checksum change from file to file
    at = template.index(b"PLTE")

    def with_palette(body: bytes) -> bytes:
        crc = zlib.crc32(b"PLTE" + body).to_bytes(4, "big")
        return template[: at + 4] + body + crc + template[at + 4 + 768 + 4 :]

    for first in range(0, 65536, 8192):
        files = [with_palette(colors[i].tobytes()) for i in range(first, first + 8192)]
        results = decode(files, crop_size=(16, 16), tables=tables, unknown=99)
        found = np.stack([r[0].reshape(-1) for r in results])
        assert np.array_equal(found, expected[first : first + 8192])


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_mixed_sizes(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    sizes = data.draw(
        st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=6)
    )
    truth = [rng.integers(0, 22, size) for size in sizes]
    pictures = [np.array(VOC, np.uint8)[t] for t in truth]
    dtype = data.draw(st.sampled_from(["uint8", "int32", "int64"]))
    for found, t in zip(
        run(pictures, colors=VOC, classes=VOC_CLASSES, dtype=dtype), truth, strict=True
    ):
        assert found.dtype == np.dtype(dtype)
        assert np.array_equal(found, np.array(VOC_CLASSES)[t])


def test_unknown_colors_are_counted() -> None:
    pictures = [np.zeros((4, 5, 3), np.uint8) for _ in range(3)]
    pictures[1][1, 1:3] = 1, 2, 3
    pictures[1][0, 0] = 0, 9, 0
    pictures[2][0, 0] = 7, 0, 0
    pipeline = Pipeline(batch_size=3, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        rgb = fn.external_source(source=lambda: pictures, batch=True, layout="HWC")
        options = {"colors": VOC, "unknown": 99, "count_unknown": True}
        pipeline.set_outputs(*color_to_index(rgb, **options))
    labels, counts = (np.array(output.as_tensor()) for output in pipeline.run())
    assert counts.tolist() == [[0, -1], [3, 0x000900], [1, 0x070000]]
    assert [(label == 99).sum() for label in labels] == [0, 3, 1]
    with pytest.raises(SampleError) as info:
        check_unknown(counts, ["a.png", "b.png", "c.png"])
    assert str(info.value) == (
        "b.png: 3 pixels have colours that are not in the label table, the smallest is (0, 9, 0); "
        "1 more of the batch likewise"
    )
    with pytest.raises(SampleError, match=r"c: 1 pixel has a colour that is not .* \(7, 0, 0\)$"):
        check_unknown(counts[2:], ["c"])
    check_unknown(counts[:1], ["a"])
    with pytest.raises(ValueError, match="counts of 3 samples but 1 names"):
        check_unknown(counts, ["a"])


def test_classes_default_to_places() -> None:
    (found,) = run([np.array([[[9, 9, 9], [0, 0, 0]]], np.uint8)], colors=[(0, 0, 0), (9, 9, 9)])
    assert found.tolist() == [[1, 0]]


def test_unknown_color_is_named() -> None:
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[1, 1:3] = 1, 2, 3
    with pytest.raises(RuntimeError, match=r"sample 1: colour \(1, 2, 3\) .* found in 2 pixels"):
        run([np.zeros((2, 2, 3), np.uint8), picture], colors=VOC)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"colors": [(0, 0, 0), (0, 0, 0)]}, "twice"),
        ({"colors": [(0, 0, 0)], "classes": [1, 2]}, "1 colors but 2 classes"),
        ({"colors": [(0, 0, 0)], "classes": [256]}, "classes: found 256, expected a class"),
        ({"colors": [(0, 0, 0)], "unknown": -2}, "unknown: found -2, expected a class"),
        ({"colors": [(0, 0, 0)], "count_unknown": True}, "unknown is 'error'"),
    ],
)
def test_impossible_tables(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        run([np.zeros((1, 1, 3), np.uint8)], **options)
