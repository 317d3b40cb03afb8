"""Processes that are forked while there are loaders, such as workers of PyTorch's DataLoader."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest

from dali_voc import Config, build_loader
from dali_voc.counting import count_classes


@pytest.fixture
def no_collection() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("which", ["loader", "labels"])
def test_a_child_may_collect_garbage(make_config: Callable[..., Config], which: str) -> None:
    """DALI ends a pipeline by waiting for threads, which a child does not have."""
    config = make_config()
    if which == "loader":
        loader: Any = build_loader(config, split="train")
        next(iter(loader))
        loader.itself = loader
        del loader
    else:
        count_classes(config, split="train")
    child = multiprocessing.get_context("fork").Process(target=gc.collect)
    child.start()
    child.join(timeout=30)
    hangs = child.is_alive()
    child.kill()
    child.join()
    assert not hangs
    assert child.exitcode == 0
