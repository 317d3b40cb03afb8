"""Lists of files that lie inside others, against plain Python lists."""

from __future__ import annotations

import hashlib
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dali_voc import SampleError
from dali_voc.datasets import PairIndex, PathList, RecordList
from dali_voc.datasets._packed_names import Names
from dali_voc.labels import LabelSpec

SPEC = LabelSpec(classes=("x",), colors=((0, 0, 0),))
CHUNKS = [b"one", b"", b"three", b"4" * 5000, b"five"]


def write(folder: Path) -> RecordList:
    """Five records in two shards: CHUNKS, with a byte between them."""
    for k, members in enumerate((CHUNKS[:3], CHUNKS[3:])):
        (folder / f"{k}.shard").write_bytes(b"|".join(members))
    sizes = [len(chunk) for chunk in CHUNKS]
    return RecordList(
        shards=tuple(str(folder / f"{k}.shard") for k in range(2)),
        names=Names.of([b"a", b"bc", "ü".encode(), b"", b"e\xff"]),
        shard=np.array([0, 0, 0, 1, 1], np.int32),
        offset=np.array([0, 4, 5, 0, 5001]),
        size=np.array(sizes),
        crc=np.array([zlib.crc32(chunk) for chunk in CHUNKS], np.uint32),
        title=lambda row: f"record {row}",
    )


def test_records_are_found_and_named(tmp_path: Path) -> None:
    records = write(tmp_path)
    some = records.select([4, 2, 0]).select([2, 0])
    assert [records.open(i).read() for i in range(5)] == CHUNKS
    assert [some.open(i).read() for i in range(2)] == [b"one", b"five"]
    assert [some[i] for i in range(2)] == [
        f"{tmp_path}/0.shard, record 0",
        f"{tmp_path}/1.shard, record 4",
    ]
    assert [some.stem(i) for i in range(2)] == ["a", os.fsdecode(b"e\xff")]
    assert some.encoded(np.array([1]))[0].tobytes() == os.fsencode(tmp_path / "1.shard")
    assert some.records(np.array([1, 0])).tolist() == [
        [5001, 4, zlib.crc32(b"five"), -1],
        [0, 3, zlib.crc32(b"one"), -1],
    ]
    for i in (-1, 2):
        with pytest.raises(IndexError):
            some[i]


def test_damage_is_named(tmp_path: Path) -> None:
    records = write(tmp_path)
    path = tmp_path / "1.shard"
    path.write_bytes(b"3" + path.read_bytes()[1:-1])
    for i, reason in (3, "its checksum (CRC) is wrong"), (4, "ends before the record does"):
        with pytest.raises(SampleError) as error:
            records.open(i)
        assert error.value.path == f"{path}, record {i}"
        assert reason in error.value.reason


@given(
    names=st.lists(st.binary(max_size=9).filter(lambda name: 0 not in name), min_size=1),
    data=st.data(),
)
def test_the_digest_is_that_of_loose_files_of_the_same_names(
    names: list[bytes], data: st.DataObject
) -> None:
    keep = data.draw(st.lists(st.integers(0, len(names) - 1)))
    zeros = np.zeros(len(names), np.int64)
    records = RecordList(
        shards=("s",), names=Names.of(names), shard=zeros, offset=zeros, size=zeros, title=str
    )
    paths = PathList([os.fsdecode(name) for name in names])
    for chosen in (range(len(names)), keep):
        expected = hashlib.sha256(b"".join(names[i] + b"\0" for i in chosen)).hexdigest()[:16]
        for files in records, paths:
            index = PairIndex(images=files, labels=files, spec=SPEC)
            if chosen is keep:
                index = index.select(keep)
            assert index.digest() == f"{len(chosen)} samples, sha256 {expected}"
