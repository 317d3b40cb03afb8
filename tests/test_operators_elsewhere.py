"""Our operators in pipelines of other people, and in other modes of DALI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from nvidia.dali import Pipeline, fn, pipeline_def, types
from nvidia.dali.plugin.pytorch import DALIGenericIterator
from png_writer import GRAY, write_png
from run_code import run_code

from dali_voc.labels import LabelTables
from dali_voc.ops import (
    CacheNodes,
    check_unknown,
    color_to_index,
    decode_crop,
    decode_label,
    load_plugin,
    normalize_crop,
    read_record,
)

COLORS = {(0, 0, 0): 5, (128, 0, 0): 7, (1, 2, 3): 255}
TABLES = LabelTables(values=(0, 1, 2), value_classes=(2, 0, 1))
PLAIN: Any = {"mean": (0, 0, 0), "std": (1, 1, 1)}

Arrays = Sequence[npt.NDArray[Any]]


def text(data: str | bytes) -> npt.NDArray[np.uint8]:
    return np.frombuffer(data.encode() if isinstance(data, str) else data, np.uint8)


def pictures(n: int = 4) -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(0)
    colors = np.array(list(COLORS), np.uint8)
    return [colors[rng.integers(0, 3, (3 + i, 5))] for i in range(n)]


def by_loops(picture: npt.NDArray[np.uint8]) -> list[list[int]]:
    return [[COLORS[r, g, b] for r, g, b in row] for row in picture.tolist()]


def maps() -> list[npt.NDArray[np.uint8]]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 3, (4 + i, 6)).astype(np.uint8) for i in range(3)]


def files() -> list[npt.NDArray[np.uint8]]:
    return [text(write_png(values, color=GRAY, depth=8)) for values in maps()]


def run(build: Callable[..., Any], *given: Arrays, **options: Any) -> list[list[Any]]:
    pipeline = Pipeline(batch_size=len(given[0]), num_threads=2, device_id=None, **options)
    with pipeline:
        nodes = fn.external_source(source=lambda: given, num_outputs=len(given))
        outputs = build(*nodes)
        pipeline.set_outputs(*(outputs if isinstance(outputs, tuple) else (outputs,)))
    return [[np.array(output[i]) for i in range(len(output))] for output in pipeline.run()]


def test_colors_as_a_mapping() -> None:
    (found,) = run(lambda node: color_to_index(node, colors=COLORS), pictures())
    assert [label.tolist() for label in found] == [by_loops(p) for p in pictures()]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"colors": COLORS, "classes": [0, 1, 2]}, "colors is a mapping to classes"),
        (
            {"colors": [(0.0, 0.5, 1.0)]},
            r"colors: found \(0.0, 0.5, 1.0\), expected",
        ),
        ({"colors": [0x800000]}, "colors: found 8388608, expected three integers"),
        ({"colors": ["#800000"]}, "colors: found '#800000', expected three integers"),
        ({"colors": [(0, 0, 0, 255)]}, r"colors: found \(0, 0, 0, 255\), expected three integers"),
        ({"colors": [(0, 0, 256)]}, r"found \(0, 0, 256\), expected three integers from 0 to 255"),
        ({"colors": [(0, 0, 0)], "classes": [1.5]}, "classes: found 1.5, expected a class"),
        ({"colors": [(0, 0, 0)], "unknown": 1.5}, "unknown: found 1.5, expected a class"),
        ({"colors": [(0, 0, 0)], "unknown": None}, "unknown: found None, expected a class"),
        ({"colors": [(0, 0, 0)], "dtype": types.INT64}, "dtype: found .*, expected 'uint8'"),
    ],
)
def test_colors_that_are_none(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        color_to_index(None, **wrong)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: LabelTables(values=(3, 3), value_classes=(0, 1)), "value 3 is there twice"),
        (lambda: LabelTables(values=(3,), value_classes=()), "1 values but 0 classes"),
        (lambda: LabelTables(values=(65536,), value_classes=(0,)), "value 65536: expected"),
        (
            lambda: LabelTables(colors=((0, 0, 0),), color_classes=(0,)),  # type: ignore[arg-type]
            r"colour \(0, 0, 0\): expected an integer",
        ),
        (lambda: read_record(None, what="mask"), "what: found 'mask', expected 'image' or 'label'"),
        (
            lambda: CacheNodes(handle=0, num_samples=1, keep="bytes", sample=None),
            "keep: found 'bytes'",
        ),
        (lambda: normalize_crop(None, crop_size=5, **PLAIN), "crop_size: found 5, expected height"),
        (lambda: normalize_crop(None, crop_size=(0, 5), **PLAIN), r"crop_size: found \(0, 5\)"),
        (
            lambda: normalize_crop(None, crop_size=None, rotation=np.float32(0.5), **PLAIN),
            "rotation: found 0.5, expected two numbers, the cosine and the sine",
        ),
        (
            lambda: normalize_crop(None, crop_size=None, dtype="int32", **PLAIN),
            "dtype: found 'int32', expected 'float32', 'float16', 'bfloat16' or 'uint8'",
        ),
    ],
)
def test_arguments_that_are_none(build: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("flip", np.ones(1, bool), "decode_label: flip is bool, expected int32"),
        ("position", np.zeros((1, 2), np.float64), "position is double, expected float"),
        ("image_shape", np.array([[4, 6]], np.int32), "image_shape is int32, expected int64"),
        ("image_shape", np.array([[0, -1]], np.int64), r"a.png: the label is 6x4 .* is 0x0"),
        ("rotation", np.array([30], np.float32), "decode_label: rotation of sample 0 is"),
        ("rotation", np.array([[2, 0]], np.float32), "expected cosine and sine of an angle"),
    ],
)
def test_values_of_samples_that_are_none(
    argument: str, value: npt.NDArray[Any], words: str
) -> None:
    def build(file: Any, name: Any, given: Any) -> Any:
        return decode_label(file, name, tables=TABLES, crop_size=None, **{argument: given}).label

    with pytest.raises(RuntimeError, match=words):
        run(build, files()[:1], [text("a.png")], list(value))


@pytest.mark.parametrize(
    ("encoded", "name", "words"),
    [
        (maps()[0], text("a"), "decode_label: encoded is uint8 of 2 dimensions, expected bytes"),
        (files()[0].astype(np.int32), text("a"), "encoded is int32 of 1 dimensions"),
        (files()[0], np.float32(7), "decode_label: path is float of 0 dimensions"),
    ],
)
def test_what_is_no_file(encoded: Any, name: Any, words: str) -> None:
    def build(file: Any, path: Any) -> Any:
        return decode_label(file, path, tables=TABLES, crop_size=None).label

    with pytest.raises(RuntimeError, match=words):
        run(build, [encoded], [name])


def test_an_error_is_a_line_of_its_own() -> None:
    def build(file: Any, path: Any) -> Any:
        return decode_label(file, path, tables=TABLES, crop_size=None).label

    broken = [*files()[:2], files()[2][:40]]
    with pytest.raises(RuntimeError) as error:
        run(build, broken, [text("a.png"), text("b.png"), text("c.png")])
    lines = [line for line in str(error.value).splitlines() if "dali_voc, sample" in line]
    assert [line.partition("dali_voc, sample")[2] for line in lines] == [
        " 2: c.png: truncated PNG: the file ends before its IEND chunk"
    ]


def test_nothing_else_has_been_decoded() -> None:
    picture = np.random.default_rng(2).integers(0, 256, (9, 8, 3)).astype(np.uint8)
    file = text(write_png(picture, color=2, depth=8))

    def build(encoded: Any, path: Any) -> Any:
        window = {"start": [2, 1], "shape": [4, 5]}
        return decode_crop(
            encoded, path, crop_size=(4, 5), dtype="uint8", channels_last=True, **window, **PLAIN
        )

    ((found,),) = run(build, [file], [text("a.png")])
    assert np.array_equal(found, picture[2:6, 1:6])
    with pytest.raises(RuntimeError, match=r"sample 0: b.bmp: this is neither JPEG nor PNG"):
        run(build, [text("BM" + "x" * 99)], [text("b.bmp")])


def test_both_branches_of_a_conditional() -> None:
    """What `decode_label` returns passes through as a whole."""

    @pipeline_def(batch_size=3, num_threads=2, device_id=None, enable_conditionals=True)
    def pipeline() -> Any:
        file, name, turned = fn.external_source(
            source=lambda: (files(), [text("a")] * 3, np.array([0, 1, 0], np.int32)), num_outputs=3
        )
        if turned == 1:
            nodes = decode_label(file, name, tables=TABLES, crop_size=None, flip=1)
        else:
            nodes = decode_label(file, name, tables=TABLES, crop_size=None)
        return nodes.label, nodes.shape

    labels, shapes = pipeline().run()
    meaning = np.array(TABLES.value_classes)
    for i, values in enumerate(maps()):
        expected = meaning[values][:, ::-1] if i == 1 else meaning[values]
        assert np.array_equal(labels[i], expected)
        assert np.array(shapes[i]).tolist() == list(values.shape)


def test_counts_come_to_pytorch() -> None:
    batch = [pictures()[0]] * 2
    batch[1] = batch[1].copy()
    batch[1][0, 0] = 9, 9, 9

    @pipeline_def(batch_size=2, num_threads=2, device_id=None)
    def pipeline() -> Any:
        node = fn.external_source(source=lambda: batch, layout="HWC")
        return tuple(color_to_index(node, colors=COLORS, unknown=255, count_unknown=True))

    (found,) = next(iter(DALIGenericIterator(pipeline(), ["labels", "counts"])))
    assert found["counts"].tolist() == [[0, -1], [1, 0x090909]]
    check_unknown(found["counts"][:1], ["a.png"])
    with pytest.raises(Exception, match=r"b.png: 1 pixel has a colour .* \(9, 9, 9\)"):
        check_unknown(found["counts"], ["a.png", "b.png"])


def test_the_dynamic_mode() -> None:
    """Bit-equal to the loops and to a pipeline, for tensors and for batches."""
    code = """
import numpy as np
from dali_voc.ops import load_plugin
load_plugin()
import nvidia.dali.experimental.dynamic as ndd
from test_operators_elsewhere import *

def array(tensor):
    return np.asarray(tensor)

batch = ndd.as_batch(pictures(), layout="HWC")
found = color_to_index(batch, colors=COLORS, dtype="int32")
assert [array(t).tolist() for t in found.tensors] == [by_loops(p) for p in pictures()]
labels, counts = color_to_index(batch, colors=COLORS, unknown=255, count_unknown=True)
assert [array(t).tolist() for t in counts.tensors] == [[0, -1]] * 4
one = color_to_index(ndd.as_tensor(pictures()[2], layout="HWC"), colors=COLORS)
assert array(one).tolist() == by_loops(pictures()[2])

names = [text("a")] * 3
encoded, paths = ndd.as_batch(files()), ndd.as_batch(names)
options = {"tables": TABLES, "crop_size": (5, 4)}
nodes = decode_label(encoded, paths, flip=1, **options)
expected, starts = run(lambda f, n: decode_label(f, n, flip=1, **options)[:2], files(), names)
assert [array(t).tolist() for t in nodes.label.tensors] == [e.tolist() for e in expected]
assert [array(t).tolist() for t in nodes.start.tensors] == [s.tolist() for s in starts]

form = {"crop_size": (5, 4), "dtype": "float16", **PLAIN}
pixels = decode_crop(encoded, paths, start=nodes.start, shape=nodes.shape, **form)
def build(f, n):
    nodes = decode_label(f, n, flip=1, **options)
    return decode_crop(f, n, start=nodes.start, shape=nodes.shape, **form)
(expected,) = run(build, files(), names)
assert [array(t).tolist() for t in pixels.tensors] == [e.tolist() for e in expected]
"""
    done = run_code(code, PYTHONPATH=str(Path(__file__).parent))
    assert done.returncode == 0, done.stderr


def test_the_dynamic_mode_was_imported_first() -> None:
    code = """
import numpy as np
import nvidia.dali.experimental.dynamic as ndd
from dali_voc.ops import color_to_index
picture = ndd.as_tensor(np.zeros((4, 5, 3), np.uint8), layout="HWC")
try:
    color_to_index(picture, colors=[(0, 0, 0)])
except Exception as e:
    assert type(e).__name__ == "PluginError", e
    assert "call dali_voc.ops.load_plugin() before that import" in str(e), e
else:
    raise SystemExit("no error")
"""
    done = run_code(code)
    assert done.returncode == 0, done.stderr


def test_a_pipeline_from_a_file(tmp_path: Path) -> None:
    @pipeline_def(batch_size=2, num_threads=2, device_id=None)
    def pipeline() -> Any:
        file, _ = fn.readers.file(files=[str(tmp_path / "a.png")] * 2)
        name = fn.get_property(file, key="source_info")
        return decode_label(file, name, tables=TABLES, crop_size=None).label

    (tmp_path / "a.png").write_bytes(files()[1].tobytes())
    pipeline().serialize(filename=str(tmp_path / "pipeline.dali"))
    code = f"""
import numpy as np
from nvidia.dali import Pipeline
from dali_voc.ops import library_path, load_plugin
assert library_path().is_file()
load_plugin()
(found,) = Pipeline.deserialize(filename={str(tmp_path / "pipeline.dali")!r}).run()
print(np.array(found[1]).tolist())
"""
    done = run_code(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(np.array(TABLES.value_classes)[maps()[1]].tolist())


def test_loading_twice_is_once() -> None:
    load_plugin()
    load_plugin()
