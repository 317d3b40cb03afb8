"""Processes that are forked while there are loaders, such as workers of PyTorch's DataLoader."""

from __future__ import annotations

import gc
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from run_code import run_code

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


CHILD = """
import os, sys, warnings
from dali_voc import build_loader, parse_config
# Python 3.12 and later say so of any fork beside threads
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
loader = build_loader(parse_config({
    "dataset": {"root": sys.argv[1]}, "loader": {"device": "cpu", "batch_size": 2},
    "augment": {"crop_size": [32, 40]}, "cache": {"keep": sys.argv[2]},
}))
first = next(iter(loader))[0].sum()
child = os.fork()
if child == 0:
    if sys.argv[3] == "uses it":
        loader.set_epoch(0)
        assert next(iter(loader))[0].sum() == first
    sys.exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.parametrize("keep", ["none", "decoded"])
@pytest.mark.parametrize("what", ["leaves it", "uses it"])
def test_a_child_may_end_as_programs_do(voc: Path, keep: str, what: str) -> None:
    """With `sys.exit`, which ends the interpreter and all that is left in it."""
    done = run_code(CHILD, voc, keep, what, warm=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "3\n", "")
