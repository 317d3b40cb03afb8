"""Shards that are lost, or change, while a loader goes on without what was in them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tar_writer import write_shards

from dali_voc import BadFile, Config, build_loader
from dali_voc.datasets import find_pairs

MakeConfig = Callable[..., Config]
PER_SHARD = 4


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("on_error", ["skip", "replace"])
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "no such file"),
        (touch, "the file has been written to since its index was made"),
    ],
    ids=["removed", "changed"],
)
def test_a_shard_is_found_out_once(  # noqa: PLR0917
    voc: Path,
    tmp_path: Path,
    make_config: MakeConfig,
    built: list[object],
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
    on_error: str,
) -> None:
    shards = write_shards(voc, tmp_path, "train", per_shard=PER_SHARD)
    config = make_config(
        dataset={"name": "webdataset", "root": str(tmp_path)},
        loader={"batch_size": 2, "on_error": on_error},
    )
    with build_loader(config) as loader:
        whole = sum(len(images) for images, _ in loader)
        spoil(shards[1])
        before = len(built)
        assert sum(len(images) for images, _ in loader) == whole
        # one to see which sample fails, one for the other sample of its batch, one that goes on
        after = len(built)
        assert after - before <= 3
        [found] = loader.report().bad_files
        assert 0 < found.times <= PER_SHARD  # some of the epoch's batches were in the works
        assert sum(len(images) for images, _ in loader) == whole
        expected = BadFile(path=str(shards[1]), reason=reason, times=found.times + PER_SHARD)
        assert (len(built), loader.report().bad_files) == (after, (expected,))
    assert len([text for text in caplog.messages if str(shards[1]) in text]) == 1


def test_which_samples_are_in_a_shard_of_several_sources(
    voc: Path, tmp_path: Path, make_config: MakeConfig
) -> None:
    shards = write_shards(voc, tmp_path, "train", per_shard=PER_SHARD)
    sources = [
        {"name": "voc2012", "root": str(voc)},
        {"name": "webdataset", "root": str(tmp_path)},
        {"name": "webdataset", "root": str(tmp_path)},  # the same again
    ]
    config = make_config(dataset={"name": "sources", "root": "", "sources": sources})
    with build_loader(config) as loader:
        index = loader.index
    shards[1].unlink()
    chosen = [0, *range(len(index))]
    for found_in in index, index.select(chosen):
        middle = len(found_in) - len(index) // 3  # the last third is the second of the two
        lost = [i for i in range(len(found_in)) if found_in.images[i].startswith(str(shards[1]))]
        assert len(lost) == 2 * PER_SHARD
        for i in range(len(found_in)):
            spoilt = found_in.images.spoilt(i)
            if i in lost:
                assert spoilt is not None
                of_its_source = [k for k in lost if (k < middle) == (i < middle)]
                assert (spoilt[0].path, spoilt[1].tolist()) == (str(shards[1]), of_its_source)
            else:
                assert spoilt is None


def test_records_that_are_bad_by_themselves(voc: Path, tmp_path: Path) -> None:
    write_shards(voc, tmp_path, "train", per_shard=PER_SHARD)
    assert find_pairs("webdataset", tmp_path, "train").images.spoilt(0) is None
