"""`decode_label` with values of 16 bits, several label maps, and colours of each file's own."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from nvidia.dali import Pipeline, fn
from PIL import Image
from png_writer import GRAY, PALETTE, RGB, write_png

from dali_voc.labels import LabelMap, LabelSpec, LabelTables, voc_colormap
from dali_voc.ops import decode_label


def decode(
    files: list[bytes],
    *,
    tables: Any,
    size: tuple[int, int],
    maps: list[int] | None = None,
    segments: np.ndarray | None = None,
    **options: Any,
) -> list[np.ndarray]:
    names = [np.frombuffer(f"file{i}.png".encode(), np.uint8) for i in range(len(files))]
    inputs: list[Any] = [[np.frombuffer(file, np.uint8) for file in files], names]
    inputs.append(np.array(maps or [0] * len(files), np.int32))
    inputs += [] if segments is None else [segments]
    pipeline = Pipeline(
        batch_size=len(files), num_threads=2, device_id=None, prefetch_queue_depth=1
    )
    with pipeline:
        nodes = fn.external_source(source=lambda: inputs, num_outputs=len(inputs))
        label = decode_label(
            nodes[0],
            nodes[1],
            map=nodes[2],
            segments=None if segments is None else nodes[3],
            tables=tables,
            crop_size=size,
            position=(0.0, 0.0),
            **{"dtype": "int32", **options},
        ).label
        pipeline.set_outputs(label)
    (output,) = pipeline.run()
    return [np.array(output[i]) for i in range(len(files))]


def table_of(values: dict[int, int], colors: dict[int, int] | None = None) -> LabelTables:
    colors = colors or {}
    return LabelTables(
        colors=tuple(colors),
        color_classes=tuple(colors.values()),
        values=tuple(values),
        value_classes=tuple(values.values()),
    )


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (7, 13), (64, 65)])
def test_sixteen_bits_as_pillow_reads_them(size: tuple[int, int], interlaced: bool) -> None:
    rng = np.random.default_rng(size[1])
    values = rng.integers(0, 65536, size)
    file = write_png(values, color=GRAY, depth=16, interlaced=interlaced)
    assert np.array_equal(np.array(Image.open(io.BytesIO(file))), values)
    classes = rng.integers(0, 65535, 65536)
    tables = table_of(dict(enumerate(classes.tolist())))
    (found,) = decode([file], tables=tables, size=size)
    assert np.array_equal(found, classes[values])
    (cut,) = decode([file], tables=tables, size=(5, 9), ignore_index=65000, dtype="int64")
    expected = np.full((5, 9), 65000)
    shown = classes[values][:5, :9]
    expected[: shown.shape[0], : shown.shape[1]] = shown
    assert np.array_equal(cut, expected)


def test_small_values_in_wide_files_and_the_other_way_round() -> None:
    values = np.arange(200).reshape(10, 20)
    files = [write_png(values, color=GRAY, depth=depth) for depth in (8, 16)]
    tables = table_of({v: 1000 + v for v in range(200)})
    for found in decode(files, tables=tables, size=(10, 20)):
        assert np.array_equal(found, values + 1000)


def test_unknown_wide_value_is_named() -> None:
    values = np.full((4, 6), 3)
    values[1, 2:4] = 777
    file = write_png(values, color=GRAY, depth=16)
    with pytest.raises(RuntimeError, match=r"file0\.png: value 777 is not .* found in 2 pixels"):
        decode([file], tables=table_of({3: 0}), size=(1, 1))
    (found,) = decode([file], tables=table_of({3: 0}), size=(4, 6), unknown=9)
    assert np.array_equal(found, np.where(values == 777, 9, 0))


def test_each_sample_follows_its_own_map() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, (20, 30))
    rgb = np.array(voc_colormap(4), np.uint8)[values]
    files = [
        write_png(values, color=GRAY, depth=8),
        write_png(values, color=GRAY, depth=8),
        write_png(rgb, color=RGB, depth=8),
        write_png(values, color=PALETTE, depth=2, palette=list(voc_colormap(4))),
    ]
    colors = [r << 16 | g << 8 | b for r, g, b in voc_colormap(4)]
    tables = [
        table_of({0: 5, 1: 6, 2: 7, 3: 255}),
        table_of({0: 1, 1: 1, 2: 0, 3: 300}, dict(zip(colors, [9, 8, 7, 6], strict=True))),
        table_of({}, dict(zip(colors, [2, 255, 4, 3], strict=True))),
    ]
    luts = [(5, 6, 7, 255), (1, 1, 0, 300), (9, 8, 7, 6), (2, 255, 4, 3)]
    found = decode(files, tables=tables, size=(20, 30), maps=[0, 1, 1, 2])
    for one, lut in zip(found, luts, strict=True):
        assert np.array_equal(one, np.array(lut)[values])
    with pytest.raises(RuntimeError, match="no label map 3"):
        decode(files[:1], tables=tables, size=(1, 1), maps=[3])


def test_palettes_by_number_where_a_map_has_no_colours() -> None:
    values = np.random.default_rng(2).integers(0, 4, (9, 14))
    colors = [(1, 2, 3), (4, 5, 6), (0, 0, 128), (9, 9, 9)]
    file = write_png(values, color=PALETTE, depth=4, palette=colors)
    keys = [r << 16 | g << 8 | b for r, g, b in colors]
    tables = [
        table_of({0: 5, 1: 6, 2: 7, 3: 255}),
        table_of({0: 5, 1: 6, 2: 7, 3: 255}, dict(zip(keys, [9, 8, 7, 6], strict=True))),
    ]
    found = decode([file, file], tables=tables, size=(9, 14), maps=[0, 1])
    for one, lut in zip(found, [(5, 6, 7, 255), (9, 8, 7, 6)], strict=True):
        assert np.array_equal(one, np.array(lut)[values])
    with pytest.raises(RuntimeError, match=r"palette index 3 is not .*; expected 0-2"):
        decode([file], tables=table_of({0: 5, 1: 6, 2: 7}), size=(1, 1))


def test_each_file_has_its_own_colors() -> None:
    """As COCO's panoptic PNGs: the same colour means another segment in each."""
    rng = np.random.default_rng(1)
    ids = [rng.integers(0, 256**3, 7) for _ in range(3)]
    classes = [rng.integers(0, 133, 7) for _ in range(3)]
    pixels = [rng.integers(0, 7, (15, 11)) for _ in range(3)]
    files, tables, expected = [], np.full((3, 9, 2), -1), []
    for i in range(3):
        colors = np.stack([ids[i] >> 16, ids[i] >> 8 & 255, ids[i] & 255], axis=1)
        files.append(write_png(colors.astype(np.uint8)[pixels[i]], color=RGB, depth=8))
        tables[i, 1:8, 0], tables[i, 1:8, 1] = ids[i], classes[i]
        tables[i, 3, 1] = -1  # no class
        expected.append(np.where(pixels[i] == 2, 255, classes[i][pixels[i]]))
    empty = table_of({})
    found = decode(files, tables=empty, size=(15, 11), segments=tables)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)
    tables[1, 4, 0] = -1
    with pytest.raises(RuntimeError, match=r"file1\.png: colour \(.*\) is not in the label table"):
        decode(files, tables=empty, size=(15, 11), segments=tables)
    tables[1, 4] = tables[1, 5]
    with pytest.raises(RuntimeError, match=r"file1\.png: its segments: a colour is .* twice"):
        decode(files, tables=empty, size=(15, 11), segments=tables)


def test_specs_of_many_classes() -> None:
    names = tuple(f"class {i}" for i in range(300))
    colors = tuple((i // 256, i % 256, 7) for i in range(300))
    with pytest.raises(ValueError, match="value 255 is there twice"):
        LabelSpec(classes=names, colors=colors).label_maps()
    spec = LabelSpec(classes=names, colors=colors, void_values=(65535,))
    (tables,) = LabelTables.build(spec, ignore_index=400)
    assert dict(zip(tables.values, tables.value_classes, strict=True)) == {
        **{i: i for i in range(300)},
        65535: 400,
    }
    mapped = LabelSpec(
        classes=("road", "car"),
        colors=((1, 1, 1), (2, 2, 2)),
        maps=(LabelMap(values=((7, 0), (26, 1), (0, None))), LabelMap(colors=(((9, 9, 9), 1),))),
    )
    first, second = LabelTables.build(mapped, ignore_index=255)
    assert dict(zip(first.values, first.value_classes, strict=True)) == {7: 0, 26: 1, 0: 255}
    assert second.colors == (0x090909,)
    assert second.color_classes == (1,)
    with pytest.raises(ValueError, match="stands for class 2 of 1"):
        LabelSpec(classes=("a",), colors=((0, 0, 0),), maps=(LabelMap(values=((0, 2),)),))
