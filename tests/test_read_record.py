"""The operator `read_record` against plain reading, and files that are not what they should be."""

from __future__ import annotations

import os
import re
import resource
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nvidia.dali import Pipeline, fn

from dali_voc._dali_errors import sentence_from_dali
from dali_voc.ops import read_record

CONTENT = np.random.default_rng(1).integers(0, 256, 10_000).astype(np.uint8).tobytes()


def read(
    paths: Sequence[Path],
    records: Sequence[Sequence[int]] | None = None,
    *,
    about: str = "",
    between: Callable[[], object] = lambda: None,
    runs: int = 1,
) -> list[bytes]:
    """The bytes of the last of several runs; `between` happens between them."""
    names = [np.frombuffer(os.fsencode(path), np.uint8) for path in paths]
    arrays = [np.array(record, np.int64) for record in records or ()]
    pipeline = Pipeline(
        batch_size=len(names), num_threads=2, device_id=None, prefetch_queue_depth=1
    )
    with pipeline:
        optional: dict[str, Any] = {}
        if records is not None:
            optional["record"] = fn.external_source(source=lambda: arrays)
        node = read_record(fn.external_source(source=lambda: names), about=about, **optional)
        pipeline.set_outputs(node)
    pipeline.build()
    for run in range(runs):
        if run:
            between()
        (output,) = pipeline.run()
    return [np.array(output[i]).tobytes() for i in range(len(names))]


def refusal(*arguments: Any, **options: Any) -> tuple[int, str]:
    with pytest.raises(RuntimeError) as error:
        read(*arguments, **options)
    found = sentence_from_dali(error.value)
    assert found is not None, error.value
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shard"
    path.write_bytes(CONTENT)
    return path


def test_whole_files_more_than_stay_open(tmp_path: Path) -> None:
    paths = []
    for i in range(300):
        paths.append(tmp_path / f"ü {i}: x")
        paths[-1].write_bytes(CONTENT[: 1 + i * 17])
    before = len(os.listdir("/proc/self/fd"))
    assert read(paths) == [path.read_bytes() for path in paths]
    assert len(os.listdir("/proc/self/fd")) <= before + 5


PARTS = st.lists(
    st.tuples(st.integers(0, 9_999), st.integers(1, 10_000), st.booleans(), st.booleans()),
    min_size=1,
    max_size=20,
)


@settings(max_examples=30, deadline=None)
@given(parts=PARTS)
def test_parts(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[int, int, bool, bool]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "parts"
    path.write_bytes(CONTENT)
    modified = path.stat().st_mtime_ns
    records, expected = [], []
    for offset, size, to_the_end, checked in parts:
        end = len(CONTENT) if to_the_end else min(offset + size, len(CONTENT))
        expected.append(CONTENT[offset:end])
        crc = zlib.crc32(expected[-1]) if checked else -1
        length = -1 if to_the_end else end - offset
        records.append((offset, length, crc, modified if checked else -1))
    assert read([path] * len(parts), records) == expected


@pytest.mark.parametrize("numbers", [2, 3, 4])
def test_how_many_numbers(file: Path, numbers: int) -> None:
    record = (5, 100, zlib.crc32(CONTENT[5:105]), file.stat().st_mtime_ns)
    assert read([file], [record[:numbers]]) == [CONTENT[5:105]]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ((9_999, 2), "a record of 2 bytes at 9999 reaches past the file's end at 10000"),
        ((10_001, -1), "a record of -1 bytes at 10001 reaches past the file's end at 10000"),
        ((-1, 5), "a record of 5 bytes at -1 reaches past the file's end at 10000"),
        ((2**62, 2**62), f"a record of {2**62} bytes at {2**62} reaches past the file's end"),
        ((0, 2**63 - 1), f"a record of {2**63 - 1} bytes at 0 reaches past the file's end"),
        ((10_000, -1), "the file is empty"),
        ((7, 0), "the file is empty"),
        ((0, 10, 17), r"damaged record: its checksum \(CRC\) is wrong"),
        ((0, 10, -1, 17), "the file has been written to since its index was made"),
    ],
)
def test_impossible_parts(file: Path, record: tuple[int, ...], reason: str) -> None:
    sound = (0, 10, -1, -1)[: len(record)]
    place, sentence = refusal([file, file], [sound, record], about="its image")
    assert place == 1
    assert re.match(f"{file}: its image: {reason}", sentence)


def test_a_record_of_too_many_numbers(file: Path) -> None:
    with pytest.raises(RuntimeError, match="record must hold two to four numbers"):
        read([file], [(0, 1, -1, -1, -1)])


def test_files_that_cannot_be_read(tmp_path: Path, file: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("nothing")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("none", "no such file"),
        ("empty", "the file is empty"),
        ("link", "no such file (a link to nothing)"),
        ("pipe", "this is not a regular file"),
        ("", "this is a folder, expected a file"),
        ("shard/x", "cannot be read (Not a directory)"),
    ):
        assert refusal([file, tmp_path / name]) == (1, f"{tmp_path / name}: {reason}")


def test_a_shard_that_is_replaced_or_written_to_is_opened_anew(tmp_path: Path, file: Path) -> None:
    def replace() -> None:
        (tmp_path / "new").write_bytes(CONTENT[::-1])
        (tmp_path / "new").rename(file)

    assert read([file], [(3, 50)], between=replace, runs=2) == [CONTENT[::-1][3:53]]

    def extend() -> None:
        with open(file, "ab") as out:
            out.write(b"more")

    assert read([file], [(10_000 - 3, -1)], between=extend, runs=2) == [CONTENT[:3][::-1] + b"more"]

    def cut() -> None:
        os.truncate(file, 40)

    place, sentence = refusal([file], [(3, 50)], between=cut, runs=2)
    assert (place, sentence) == (
        0,
        f"{file}: a record of 50 bytes at 3 reaches past the file's end at 40",
    )


def test_few_shards_stay_open(tmp_path: Path) -> None:
    paths = []
    for i in range(100):
        paths.append(tmp_path / f"{i}.shard")
        paths[-1].write_bytes(CONTENT[i:])
    handles: list[int] = []
    found = read(
        paths,
        [(i, 20) for i in range(100)],
        between=lambda: handles.append(
            sum(os.readlink(f"/proc/self/fd/{fd}").endswith(".shard") for fd in open_handles())
        ),
        runs=2,
    )
    assert found == [CONTENT[2 * i : 2 * i + 20] for i in range(100)]
    assert handles == [16]


def open_handles() -> list[str]:
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")]


def test_a_lack_of_handles_names_no_file(tmp_path: Path) -> None:
    paths = []
    for i in range(64):
        paths.append(tmp_path / str(i))
        paths[-1].write_bytes(CONTENT)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def allow_few() -> None:
        lowest_free = os.open(tmp_path, os.O_RDONLY)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 5, hard))

    try:
        with pytest.raises(RuntimeError, match="Too many open files") as error:
            read(paths, between=allow_few, runs=3)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert sentence_from_dali(error.value) is None
