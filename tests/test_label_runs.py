"""The code of packed labels: written, read by the label operator, and damaged."""

from __future__ import annotations

from pathlib import Path

import native_driver
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from nvidia.dali import Pipeline, fn
from PIL import Image
from runs_reader import read_runs

from dali_voc._dali_errors import sentence_from_dali
from dali_voc.labels import LabelTables
from dali_voc.ops import decode_label
from dali_voc.packing._label_code import encode_label, encode_runs

Label = npt.NDArray[np.uint8]
TABLES = LabelTables(
    colors=(), color_classes=(), values=tuple(range(256)), value_classes=tuple(range(256))
)
LABELS = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 40), st.integers(1, 300)),
    elements=st.sampled_from([0, 1, 255]),
    fill=st.just(7),
)


def draw_label(rng: np.random.Generator, height: int, width: int) -> Label:
    """Rectangles, of which many share their rows."""
    label = np.zeros((height, width), np.uint8)
    for _ in range(int(rng.integers(0, 8))):
        y, x = rng.integers(0, height), rng.integers(0, width)
        label[y : y + rng.integers(1, 40), x : x + rng.integers(1, 40)] = rng.integers(0, 256)
    return label


def decode(files: list[bytes], **options: object) -> list[Label]:
    encoded = [np.frombuffer(file, np.uint8) for file in files]
    names = [np.frombuffer(f"file {i}".encode(), np.uint8) for i in range(len(files))]
    options = {"tables": TABLES, "crop_size": None, **options}
    pipeline = Pipeline(batch_size=len(files), num_threads=2, device_id=None)
    with pipeline:
        nodes = decode_label(
            fn.external_source(source=lambda: encoded),
            fn.external_source(source=lambda: names),
            **options,  # type: ignore[arg-type]
        )
        pipeline.set_outputs(nodes.label)
    pipeline.build()
    (output,) = pipeline.run()
    return [np.array(output[i]) for i in range(len(files))]


@settings(deadline=None)
@given(label=LABELS)
def test_written_runs_read_slowly(label: Label) -> None:
    assert np.array_equal(read_runs(encode_runs(label)), label)


def test_long_runs_and_many_rows() -> None:
    for shape in ((1, 128), (1, 127), (128, 1), (3, 16384), (20000, 2), (2, 2**21)):
        label = np.full(shape, 9, np.uint8)
        label[-1, -1] = 8
        assert np.array_equal(read_runs(encode_runs(label)), label)
        assert np.array_equal(decode([encode_runs(label)])[0], label)


@settings(max_examples=30, deadline=None)
@given(labels=st.lists(LABELS, min_size=1, max_size=6))
def test_the_operator_reads_them(labels: list[Label]) -> None:
    found = decode([encode_runs(label) for label in labels])
    assert all(map(np.array_equal, found, labels))


def test_every_crop_is_that_of_a_png(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    labels = [draw_label(rng, int(h), int(w)) for h, w in rng.integers(20, 200, (24, 2))]
    runs = [encode_runs(label) for label in labels]
    pngs = []
    for label in labels:
        Image.fromarray(label).save(tmp_path / "x.png")
        pngs.append((tmp_path / "x.png").read_bytes())
    for options in (
        {"position": (0.99, 0.3)},
        {"flip": 1, "vertical_flip": 1},
        {"scale": np.array([1.7, 0.6], np.float32)},
        {"position": tuple(np.linspace(0, 0.99, 20)), "max_ratio": 0.5},
        {"dtype": "int64", "ignore_index": 77},
    ):
        crop = {"crop_size": (64, 80), **options}
        found, expected = decode(runs, **crop), decode(pngs, **crop)
        assert all(map(np.array_equal, found, expected))


def test_noise_is_kept_as_png() -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (200, 300)).astype(np.uint8)
    smooth = draw_label(rng, 200, 300)
    files = [encode_label(noise), encode_label(smooth)]
    assert [file[:4] for file in files] == [b"\x89PNG", b"DVLR"]
    assert all(map(np.array_equal, decode(files), [noise, smooth]))


def test_unknown_values_are_found_whatever_the_crop() -> None:
    label = np.zeros((60, 80), np.uint8)
    label[50, 70:73] = 9
    tables = LabelTables(colors=(), color_classes=(), values=(0, 1), value_classes=(0, 1))
    options = {"tables": tables, "crop_size": (10, 10), "position": (0.0, 0.0)}
    with pytest.raises(RuntimeError) as error:
        decode([encode_runs(label)], **options)
    assert sentence_from_dali(error.value) == (
        0,
        "file 0: value 9 is not in the label table, found in 3 pixels; expected 0-1",
    )
    assert (decode([encode_runs(label)], unknown=1, **options)[0] == 0).all()


SOUND = encode_runs(np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.uint8))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (SOUND[:9], "truncated label: it ends inside its header"),
        (SOUND[:-1], "truncated label: it ends inside its runs"),
        (SOUND[:13], "truncated label: it ends inside its runs"),
        (SOUND + b"\1", "damaged label: more runs than it has rows"),
        (SOUND[:12] + b"\4" + SOUND[13:], "damaged label: runs that do not fill its width"),
        (SOUND[:12] + b"\0" + SOUND[13:], "damaged label: runs that do not fill its width"),
        (SOUND[:14] + b"\4" + SOUND[15:], "damaged label: runs that do not fill its width"),
        (SOUND[:14] + b"\0" + SOUND[15:], "damaged label: runs that do not fill its width"),
        (SOUND[:12] + b"\xff" * 9, "damaged label: runs that do not fill its width"),
        (SOUND[:4] + b"\0" * 4 + SOUND[8:], "it claims 0x3 pixels, expected 1 to 2^27"),
        (SOUND[:4] + b"\xff" * 8 + SOUND[12:], "it claims 4294967295x4294967295 pixels"),
    ],
)
def test_damage_is_said(file: bytes, reason: str) -> None:
    assert decode([SOUND])[0].tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 3]]
    with pytest.raises(RuntimeError) as error:
        decode([SOUND, file], crop_size=(4, 4))
    found = sentence_from_dali(error.value)
    assert found is not None
    assert found[0] == 1
    assert reason in found[1]


def test_mutants_are_equal_to_the_slow_reader_or_refused(tmp_path: Path) -> None:
    """Under AddressSanitizer."""
    rng = np.random.default_rng(5)
    labels = [draw_label(rng, int(h), int(w)) for h, w in rng.integers(1, 120, (20, 2))]
    originals = [encode_runs(label) for label in labels]
    files = [*originals]
    for i in range(3000):
        file = bytearray(originals[i % len(originals)])
        for _ in range(int(rng.integers(1, 4))):
            kind, at = rng.integers(3), int(rng.integers(len(file)))
            if kind == 0:
                file[at] = rng.integers(256)
            elif kind == 1 and len(file) > 5:
                del file[max(at, 4) :]
            else:
                file[at] ^= 1 << rng.integers(8)
        files.append(bytes(file))
    paths = []
    for i, file in enumerate(files):
        paths.append(tmp_path / str(i))
        paths[-1].write_bytes(file)
    driver = native_driver.build()
    accepted = 0
    for i, result in enumerate(native_driver.run(driver, paths)):
        if isinstance(result, str):
            assert i >= len(originals), f"sound file {i} refused: {result}"
            continue
        expected = read_runs(files[i])[: native_driver.SIDE, : native_driver.SIDE]
        assert np.array_equal(result, expected), paths[i]
        accepted += i >= len(originals)
    assert 100 < accepted < 2900, "the mutations are too mild or too harsh to tell anything"


def test_the_shorter_code_is_taken() -> None:
    noise = np.random.default_rng(0).integers(0, 2, (64, 64), np.uint8)
    assert len(encode_label(noise)) < len(encode_runs(noise))
