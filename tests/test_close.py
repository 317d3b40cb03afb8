"""A loader that is closed gives back at once what it had, without Python's garbage collector."""

from __future__ import annotations

import gc
import os
import shutil
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from dali_voc import Config, build_loader

MakeConfig = Callable[..., Config]


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def native_threads() -> set[str]:
    """DALI's threads are not Python's."""
    return set(os.listdir("/proc/self/task"))


def are_gone(allowed: set[str]) -> bool:
    """Whether other threads are gone; what has been told to end may take a moment."""
    deadline = time.monotonic() + 5
    while not native_threads() <= allowed:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def read_all(loader: Any) -> None:
    for _ in loader:
        pass


def read_one(loader: Any) -> None:
    for _ in loader:
        break


def read_two_at_once(loader: Any) -> None:
    first = iter(loader)
    next(first)
    next(iter(loader))


@pytest.mark.parametrize("read", [read_all, read_one, read_two_at_once])
@pytest.mark.parametrize("keep", ["none", "decoded"])
def test_threads_and_pipeline_are_gone(
    make_config: MakeConfig, read: Callable[[Any], None], keep: str
) -> None:
    config = make_config(cache={"keep": keep})
    before = native_threads()
    with build_loader(config) as loader:
        read(loader)
        assert len(native_threads() - before) > 2
        pipeline = weakref.ref(loader._fetcher.prefetcher._pipeline)
        assert pipeline() is not None
    assert pipeline() is None
    assert are_gone(before)


def test_pipelines_that_failed_are_gone(voc: Path, tmp_path: Path, make_config: MakeConfig) -> None:
    shutil.copytree(voc, tmp_path / "voc")
    for label in sorted((tmp_path / "voc/SegmentationClass").glob("*.png"))[::4]:
        label.write_bytes(b"no PNG")
    before = native_threads()
    with build_loader(make_config(tmp_path / "voc", loader={"on_error": "replace"})) as loader:
        read_all(loader)
        assert len(loader.report().bad_files) > 2
        one_pipeline = len(native_threads() - before)
        read_all(loader)
        assert len(native_threads() - before) <= one_pipeline
    assert are_gone(before)


def test_batches_outlive_it(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment={"flip": 0.0})) as loader:
        kept = list(loader)
    with build_loader(make_config(augment={"flip": 0.0})) as loader:
        for (images, labels), (again, labels_again) in zip(kept, loader, strict=True):
            torch.testing.assert_close(images, again, rtol=0, atol=0)
            torch.testing.assert_close(labels, labels_again, rtol=0, atol=0)
