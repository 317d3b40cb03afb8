"""`decode_label` against Pillow and plain loops, over every PNG type that it reads."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn
from PIL import Image
from png_writer import CHANNELS, GRAY, GRAY_ALPHA, PALETTE, RGB, RGBA, chunk, write_png

from dali_voc.labels import LabelSpec, LabelTables, voc_colormap
from dali_voc.ops import decode_label

COLORS = voc_colormap(21)
SPEC = LabelSpec(
    classes=tuple(f"c{i}" for i in range(21)),
    colors=COLORS,
    void_colors=(voc_colormap(256)[255],),
)
TABLES = LabelTables.build(SPEC, ignore_index=255)


def decode(
    files: Sequence[bytes],
    *,
    crop_size: tuple[int, int],
    positions: Any = None,
    flips: Any = None,
    image_shapes: Any = None,
    segments: Any = None,
    **options: Any,
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    n = len(files)
    positions = np.full((n, 2), 0.5, np.float32) if positions is None else positions
    flips = np.zeros(n, np.int32) if flips is None else flips
    names = [np.frombuffer(f"file{i}.png".encode(), np.uint8) for i in range(n)]
    inputs = [[np.frombuffer(file, np.uint8) for file in files], names, positions, flips]
    inputs += [] if image_shapes is None else [image_shapes]
    inputs += [] if segments is None else [[segments] * n]
    pipeline = Pipeline(batch_size=n, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        nodes = fn.external_source(source=lambda: inputs, num_outputs=len(inputs))
        outputs = decode_label(
            nodes[0],
            nodes[1],
            position=nodes[2],
            flip=nodes[3],
            image_shape=None if image_shapes is None else nodes[4],
            segments=None if segments is None else nodes[-1],
            crop_size=crop_size,
            **{"tables": TABLES, **options},
        )
        pipeline.set_outputs(outputs.label, outputs.start, outputs.shape)
    maps, starts, shapes = (batch for batch in pipeline.run())
    return [(np.array(maps[i]), np.array(starts[i]), np.array(shapes[i])) for i in range(n)]


def whole(file: bytes, values: np.ndarray, **options: Any) -> np.ndarray:
    ((result, start, shape),) = decode([file], crop_size=values.shape[:2], **options)
    assert start.tolist() == [0, 0]
    assert shape.tolist() == list(values.shape[:2])
    return result


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("palette", ["color", "index"])
@pytest.mark.parametrize("size", [(1, 1), (2, 3), (9, 5), (37, 70)])
def test_palette(depth: int, interlaced: bool, palette: Any, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(depth)
    n = min(2**depth, 21)
    values = rng.integers(0, n, size)
    shuffled = rng.permutation(21)[:n]  # the palette need not be in the classes' order
    file = write_png(
        values,
        color=PALETTE,
        depth=depth,
        palette=[COLORS[i] for i in shuffled],
        interlaced=interlaced,
    )
    assert np.array_equal(np.array(Image.open(io.BytesIO(file))), values)
    expected = shuffled[values] if palette == "color" else values
    assert np.array_equal(whole(file, values, palette=palette), expected)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_gray_values_are_class_ids_as_stored(depth: int, interlaced: bool) -> None:
    values = np.random.default_rng(depth).integers(0, min(2**depth, 21), (31, 50))
    if depth == 8:
        values[3:9, 4:20] = 255
    file = write_png(values, color=GRAY, depth=depth, interlaced=interlaced)
    by_pillow = np.array(Image.open(io.BytesIO(file))).astype(int)
    scale = 1 if depth == 1 else 255 // (2**depth - 1)  # Pillow stretches 2 and 4 bits to 0..255
    assert np.array_equal(by_pillow // scale, values)
    assert np.array_equal(whole(file, values), values)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("color", [RGB, RGBA])
def test_colors(color: int, interlaced: bool) -> None:
    rng = np.random.default_rng(color)
    classes = rng.integers(0, 22, (33, 47))
    rgb = np.array([*COLORS, voc_colormap(256)[255]], np.uint8)[classes]
    alpha = rng.integers(0, 256, (*classes.shape, 1))
    pixels = rgb if color == RGB else np.concatenate([rgb, alpha], axis=2)
    file = write_png(pixels, color=color, depth=8, interlaced=interlaced)
    assert np.array_equal(np.array(Image.open(io.BytesIO(file)))[..., :3], rgb)
    assert np.array_equal(whole(file, classes), np.where(classes == 21, 255, classes))


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_files_that_pillow_writes(mode: str) -> None:
    values = np.arange(60 * 80).reshape(60, 80) // 900
    values = values % 2 if mode == "1" else values
    if mode == "RGB":
        image = Image.fromarray(np.array(COLORS, np.uint8)[values])
    elif mode == "1":
        image = Image.fromarray(values.astype(bool))
    else:
        image = Image.fromarray(values.astype(np.uint8), mode)
        if mode == "P":
            image.putpalette([v for color in voc_colormap(256) for v in color])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert np.array_equal(whole(buffer.getvalue(), values), values)


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("color", [PALETTE, RGB, RGBA])
def test_each_filter(color: int, kind: int) -> None:
    classes = np.random.default_rng(kind).integers(0, 21, (40, 41))
    table = np.array([(*rgb, 9) for rgb in COLORS])[:, : CHANNELS[color]]
    pixels = classes if color == PALETTE else table[classes]
    file = write_png(pixels, color=color, depth=8, palette=COLORS, filters=[kind])
    assert np.array_equal(whole(file, classes), classes)


def test_many_data_chunks_transparency_and_text() -> None:
    values = np.random.default_rng(0).integers(0, 21, (50, 60))
    extra = chunk(b"tRNS", bytes(range(21))) + chunk(b"tEXt", b"Title\0a label")
    file = write_png(values, color=PALETTE, depth=8, palette=COLORS, idat_sizes=7, extra=extra)
    assert np.array_equal(whole(file + b"rubbish after the end", values), values)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_windows_against_slices(data: st.DataObject) -> None:
    """Crops, flips and padding of mixed sizes in one batch, against NumPy slices."""
    crop = data.draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    n = data.draw(st.integers(1, 5))
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    depth = data.draw(st.sampled_from([1, 2, 4, 8]))
    pictures = [rng.integers(0, min(2**depth, 21), rng.integers(1, 60, 2)) for _ in range(n)]
    files = [
        write_png(p, color=PALETTE, depth=depth, palette=COLORS[: 2**depth], filters=[0, 2, 1])
        for p in pictures
    ]
    positions = rng.random((n, 2), dtype=np.float32)
    flips = rng.integers(0, 2, n).astype(np.int32)
    dtype = data.draw(st.sampled_from(["uint8", "int32", "int64"]))
    results = decode(files, crop_size=crop, positions=positions, flips=flips, dtype=dtype)
    for picture, position, flip, (result, start, shape) in zip(
        pictures, positions, flips, results, strict=True
    ):
        assert result.dtype == np.dtype(dtype)
        expected = np.full(crop, 255)
        places = [max(size - c, 0) + 1 for size, c in zip(picture.shape, crop, strict=True)]
        y, x = (int(float(u) * k) for u, k in zip(position, places, strict=True))
        window = picture[y : y + crop[0], x : x + crop[1]]
        expected[: window.shape[0], : window.shape[1]] = window
        assert start.tolist() == [y, x]
        assert shape.tolist() == list(window.shape)
        assert np.array_equal(result, expected[:, ::-1] if flip else expected)


@pytest.mark.parametrize("size", [10, 11, 12, 13])
def test_half_is_the_centre_rounded_up(size: int) -> None:
    values = np.zeros((size, size), int)
    file = write_png(values, color=GRAY, depth=8)
    ((_, start, _),) = decode([file], crop_size=(6, 6))
    assert start.tolist() == [(size - 6 + 1) // 2] * 2


def test_every_position_is_reached_equally_often() -> None:
    file = write_png(np.zeros((8, 11), int), color=GRAY, depth=8)
    grid = (np.arange(600, dtype=np.float32) + 0.5) / 600
    positions = np.stack([grid, grid], axis=1)
    starts = np.array([r[1] for r in decode([file] * 600, crop_size=(6, 6), positions=positions)])
    assert np.bincount(starts[:, 0]).tolist() == [200] * 3
    assert np.bincount(starts[:, 1]).tolist() == [100] * 6


def refusal(file: bytes, **options: Any) -> str:
    with pytest.raises(RuntimeError) as error:
        decode([file], crop_size=(4, 4), **options)
    text = str(error.value)
    return text.partition("dali_voc, sample 0: ")[2].partition("\n")[0]


def test_unknown_color_names_file_color_and_pixels() -> None:
    values = np.zeros((20, 30), int)
    values[2:5, 3:9] = 1
    values[19, 29] = 2
    palette = [(0, 0, 0), (1, 2, 3), (4, 5, 6)]
    file = write_png(values, color=PALETTE, depth=8, palette=palette)
    # the crop at the upper left holds only the first of them; the counts are the whole picture's
    assert refusal(file, positions=np.zeros((1, 2), np.float32)) == (
        "file0.png: colour (1, 2, 3), palette index 1, is not in the label table, found in 18 "
        "pixels, and 1 more unknown in 1 pixel; expected one of 22 colours, the nearest of them "
        "(0, 0, 0)"
    )
    rgb = write_png(np.array(palette, np.uint8)[values], color=RGB, depth=8)
    told = refusal(rgb, positions=np.zeros((1, 2), np.float32))
    assert told.startswith("file0.png: colour (1, 2, 3) is not in")
    assert told.endswith("; expected one of 22 colours, the nearest of them (0, 0, 0)")
    assert "value 77 is not in" in refusal(write_png(values + 77, color=GRAY, depth=8))
    by_index = write_png(values + 77, color=PALETTE, depth=8, palette=[(0, 0, 0)] * 80)
    assert "palette index 77 is not in" in refusal(by_index, palette="index")


def test_palette_index_without_a_color() -> None:
    file = write_png(np.full((5, 5), 9), color=PALETTE, depth=8, palette=COLORS[:4])
    assert "palette index 9, which has no colour, is not in" in refusal(file)


def test_unused_palette_entries_may_be_anything() -> None:
    values = np.zeros((6, 6), int)
    file = write_png(values, color=PALETTE, depth=8, palette=[(0, 0, 0), (9, 9, 9)])
    assert np.array_equal(whole(file, values), values)


def test_unknown_colors_can_be_ignored() -> None:
    values = np.array([[0, 1], [2, 0]])
    palette = [(0, 0, 0), (1, 2, 3), COLORS[5]]
    file = write_png(values, color=PALETTE, depth=8, palette=palette)
    assert whole(file, values, unknown=254).tolist() == [[0, 254], [5, 0]]


def test_void_and_padding_follow_ignore_index() -> None:
    file = write_png(np.array([[20, 255]]), color=GRAY, depth=8)
    tables = LabelTables.build(SPEC, ignore_index=100)
    ((result, _, _),) = decode([file], crop_size=(2, 3), tables=tables, ignore_index=100)
    assert result.tolist() == [[20, 100, 100], [100, 100, 100]]


@pytest.mark.parametrize(
    ("color", "depth", "reason"),
    [(RGB, 16, "16 bits per channel"), (GRAY_ALPHA, 8, "gray label with")],
)
def test_kinds_that_are_refused(color: int, depth: int, reason: str) -> None:
    values = np.zeros((5, 5, CHANNELS[color]), int)
    assert reason in refusal(write_png(values, color=color, depth=depth))


def test_sizes_must_agree() -> None:
    file = write_png(np.zeros((5, 7), int), color=GRAY, depth=8)
    reason = refusal(file, image_shapes=np.array([[7, 5, 3]], np.int64))
    assert (
        reason
        == "file0.png: the label is 7x5 (width x height), its image is 5x7"
        + "; sides are swapped: an orientation in Exif is not looked at"
    )
    decode([file], crop_size=(2, 2), image_shapes=np.array([[5, 7, 3]], np.int64))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xff\xd8\xff\xe0 and so on", "this is a JPEG file"),
        (b"plain text", "not a PNG file"),
        (b"\x89PNG\r\n\x1a\n", "truncated PNG"),
    ],
)
def test_foreign_files(file: bytes, reason: str) -> None:
    assert reason in refusal(file)


def test_classes_that_do_not_fit() -> None:
    file = write_png(np.zeros((2, 2), int), color=GRAY, depth=8)

    def table(index: int) -> LabelTables:
        return LabelTables(colors=(0,), color_classes=(0,), values=(0,), value_classes=(index,))

    assert whole(file, np.zeros((2, 2)), tables=table(255)).max() == 255
    with pytest.raises(RuntimeError, match="class 300 does not fit the dtype"):
        whole(file, np.zeros((2, 2)), tables=table(300))
    for wrong, words in (
        ({"palette": "colour"}, "palette: found 'colour'"),
        ({"dtype": "int16"}, "dtype: found 'int16', expected 'uint8', 'int32' or 'int64'"),
        ({"unknown": -5}, "unknown: found -5"),
        ({"unknown": 300}, "unknown: found 300, expected a class, 0 to 255 for uint8"),
        ({"unknown": 65535, "dtype": "int64"}, "unknown: found 65535"),
        ({"unknown": 70000, "dtype": "int64"}, "unknown: found 70000"),
        ({"unknown": "ignore"}, "unknown: found 'ignore'"),
        ({"unlabeled": 256}, "unlabeled: found 256"),
        ({"ignore_index": -100, "dtype": "int64"}, "ignore_index: found -100"),
        ({"ignore_index": 300}, "ignore_index: found 300"),
        ({"tables": ()}, r"tables: found \(\), expected LabelTables"),
        ({"tables": [(0, 0, 0)]}, "expected LabelTables"),
        ({"rotation": 30}, "rotation: found 30, expected two numbers, the cosine and the sine"),
    ):
        with pytest.raises(ValueError, match=words):
            whole(file, np.zeros((2, 2)), **wrong)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1 << 32, 0]], "4294967296 is class 0, expected 24 bits"),
        ([[0, 1 << 32]], "class 4294967296, expected 24 bits and a class below 256"),
        ([[0, 256]], "class below 256"),
    ],
)
def test_segments_that_make_no_sense(rows: list[list[int]], words: str) -> None:
    file = write_png(np.zeros((2, 2, 3), int), color=RGB, depth=8)
    with pytest.raises(RuntimeError, match=words):
        whole(file, np.zeros((2, 2)), segments=np.array(rows, np.int64))


def test_no_segments_are_none() -> None:
    """They stand in place of the tables' colours."""
    file = write_png(np.zeros((2, 2, 3), int), color=RGB, depth=8)
    with pytest.raises(RuntimeError, match="colour \\(0, 0, 0\\) is not in the label table"):
        whole(file, np.zeros((2, 2)), segments=np.zeros((0, 2), np.int64))
