"""What is worked out ahead for a pipeline: in which order, and what becomes of errors."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dali_voc import build_loader, pipeline
from dali_voc._batches import Batch, BatchKey, BatchPlan
from dali_voc._prefetch import BatchSource
from dali_voc._substitutes import Substitutes
from dali_voc.config import parse_config
from dali_voc.datasets import PairIndex
from dali_voc.datasets._path_list import PathList
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import LoaderError

NAMES = "a", "bb", "ccc", "dd", "e"
INDEX = PairIndex(
    images=PathList(NAMES, prefix="images/", suffix=".jpg"),
    labels=PathList(NAMES, prefix="labels/", suffix=".png"),
    spec=VOC_SPEC,
)


def batches() -> Iterator[Batch]:
    config = parse_config({"dataset": {"root": "/nowhere"}, "loader": {"batch_size": 2}})
    plan = BatchPlan.from_config(config, num_samples=len(NAMES), training=True)
    return plan.from_here(BatchKey(epoch=0), Substitutes(seed=0, num_samples=len(NAMES)))


def read(paths: np.ndarray) -> list[str]:
    return [bytes(row).rstrip(b"\0").decode() for row in paths]


def test_prepared_or_not_the_batches_are_the_same() -> None:
    source = BatchSource(INDEX)
    source.follow(batches())
    for i, expected in zip(range(9), batches(), strict=False):
        if i % 3:
            source.prepare()
        images, labels, *parameters = source()
        assert read(images) == [f"images/{NAMES[s]}.jpg" for s in expected.samples]
        assert read(labels) == [f"labels/{NAMES[s]}.png" for s in expected.samples]
        for array, wanted in zip(parameters, expected.parameters.values(), strict=True):
            np.testing.assert_array_equal(array, wanted)
        assert source.running.pop().key == expected.key
        assert not source.running


def test_what_was_prepared_is_dropped_for_another_plan() -> None:
    source = BatchSource(INDEX)
    source.follow(batches())
    source.prepare()
    later = replace(next(batches()), key=BatchKey(epoch=7))
    source.follow(iter((later,)))
    source()
    assert [batch.key.epoch for batch in source.running] == [7]


def test_an_error_is_raised_by_the_call_that_needs_the_batch() -> None:
    def failing() -> Iterator[Batch]:
        yield next(batches())
        raise LoaderError("all samples are bad")

    source = BatchSource(INDEX)
    source.follow(failing())
    source()
    source.prepare()  # in another thread, where nobody would hear of it
    with pytest.raises(LoaderError, match="all samples are bad"):
        source()
    assert len(source.running) == 1


def test_paths_of_one_length_and_of_many() -> None:
    samples = np.array([3, 1, 1])
    assert read(INDEX.images.encoded(samples)) == [INDEX.images[s] for s in samples]
    samples = np.array([4, 2, 0, 3])
    assert read(INDEX.labels.encoded(samples)) == [INDEX.labels[s] for s in samples]
    assert INDEX.labels.encoded(np.array([], np.int64)).shape == (0, len("labels/.png"))


@pytest.mark.parametrize("seeking", [False, True])
def test_a_pipeline_that_failed_has_ended_when_the_next_begins(
    seeking: bool, voc: Path, tmp_path: Path, make_config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once would take twice the memory, on a GPU its own."""
    root = Path(shutil.copytree(voc, tmp_path / "voc"))
    names = (root / "ImageSets/Segmentation/train.txt").read_text().split()
    (root / f"JPEGImages/{names[5]}.jpg").write_bytes(b"bad")
    built: list[weakref.ref[Any]] = []
    build = pipeline.build_pipeline

    def counting(source: Any, **options: Any) -> Any:
        assert [one for one in built if one() is not None] == []
        made = build(source, **options)
        built.append(weakref.ref(made))
        return made

    monkeypatch.setattr(pipeline, "build_pipeline", counting)
    config = make_config(root, augment={"crop_size": [32, 40]}, loader={"on_error": "skip"})
    with build_loader(config, training=False) as loader:
        if seeking:
            next(iter(loader))  # the bad one is in the batch that is being made
            loader.set_epoch(0)
            next(iter(loader))
            assert len(built) == 2
        else:
            assert len(list(loader)) == len(loader)
            assert len(built) >= 3
