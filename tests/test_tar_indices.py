"""The indices of many tar shards: from slow storage by threads, and in the same order."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import pytest
from tar_writer import write_tar

from dali_voc import DatasetError
from dali_voc.datasets import _tar_indices
from dali_voc.datasets._tar_index import ShardIndex, load_index
from dali_voc.datasets._tar_indices import load_indices

N = 12


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"train-{i}.tar" for i in range(N)]
    for i, path in enumerate(paths):
        names = [f"{i}-{k}" for k in range(i + 1)]
        write_tar(path, [(f"{name}.{end}", b"x") for name in names for end in ("jpg", "png")])
    return paths


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The threads that loaded an index, in this order."""
    used: list[int] = []

    def load(shard: Path, *, unlabeled: bool) -> ShardIndex:
        used.append(threading.get_ident())
        time.sleep(0.01)
        return load_index(shard, unlabeled=unlabeled)

    monkeypatch.setattr(_tar_indices, "load_index", load)
    return used


@pytest.mark.parametrize("waits", [True, False])
def test_threads_are_for_what_waits(
    shards: list[Path], threads: list[int], monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    monkeypatch.setattr(_tar_indices, "_SLOW", 0.0 if waits else float("inf"))
    for _ in "made", "kept":
        threads.clear()
        assert [len(index) for index in load_indices(shards)] == [i + 1 for i in range(N)]
        assert len(threads) == N
        assert threads[0] == threading.get_ident()
        assert (len(set(threads)) > 2) == waits


def test_waiting_is_told_from_working(
    shards: list[Path], threads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where each shard takes 0.3 s of which next to nothing is work."""
    sleeping = _tar_indices.load_index

    def load(shard: Path, *, unlabeled: bool) -> ShardIndex:
        time.sleep(0.3)
        return sleeping(shard, unlabeled=unlabeled)

    monkeypatch.setattr(_tar_indices, "load_index", load)
    load_indices(shards)
    assert len(set(threads)) > 2


@pytest.mark.parametrize("slow", [0.0, float("inf")])
def test_of_several_bad_shards_the_first_is_named(
    shards: list[Path], monkeypatch: pytest.MonkeyPatch, slow: float
) -> None:
    monkeypatch.setattr(_tar_indices, "_SLOW", slow)
    for i in 4, 9:
        shards[i].write_bytes(b"no tar")
    with pytest.raises(DatasetError, match=r"train-4\.tar: damaged or truncated tar"):
        load_indices(shards)


def test_it_is_told_once_that_it_takes_long(
    shards: list[Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_tar_indices, "_SLOW", float("inf"))
    with caplog.at_level(logging.WARNING, "dali_voc"):
        load_indices(shards)
        assert caplog.messages == []
        monkeypatch.setattr(_tar_indices, "_PATIENCE", 0.0)
        load_indices(shards)
    assert caplog.messages == [
        f"{shards[0].parent}: looking for the pairs in {N} shards, of which 1 are done; what is "
        "found is kept, and later starts are quick"
    ]
