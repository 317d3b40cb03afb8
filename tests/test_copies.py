"""A loader in other hands: copies, other processes, several threads, the end of the interpreter."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dali_voc import Config, Loader, LoaderError, build_loader

MakeConfig = Callable[..., Config]
SMALL = {"augment": {"crop_size": [32, 40]}, "loader": {"batch_size": 2}}


def rest_of(loader: Loader, *, epochs: int = 2) -> list[torch.Tensor]:
    return [part.clone() for _ in range(epochs) for batch in loader for part in batch]


@pytest.mark.parametrize("keep", ["none", "encoded", "decoded"])
@pytest.mark.parametrize("begun", [0, 3])
def test_a_copy_goes_on_by_itself(make_config: MakeConfig, keep: str, begun: int) -> None:
    """Its next `for` is the original's."""
    with build_loader(make_config(cache={"keep": keep, "memory": 0.05}, **SMALL)) as loader:
        batches = iter(loader)
        for _ in range(begun):
            next(batches)
        copies = [copy.deepcopy(loader), copy.copy(loader), pickle.loads(pickle.dumps(loader))]
        expected = rest_of(loader)
    for other in copies:
        with other:
            found = rest_of(other)
            assert len(found) == len(expected) == 2 * 2 * len(loader)
            assert all(map(torch.equal, found, expected))


def test_a_copy_of_a_closed_one_writes_to_nobodys_file(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    loader = build_loader(make_config(cache={"keep": "encoded", "memory": 0.05}, **SMALL))
    other = copy.deepcopy(loader)
    loader.close()
    paths = [tmp_path / f"{i}.bin" for i in range(8)]
    files = [path.open("w+b") for path in paths]
    for file in files:
        file.truncate(50_000_000)
    rest_of(other)
    assert all(path.read_bytes().count(0) == 50_000_000 for path in paths)
    for closed in (loader, other):
        closed.close()
        with pytest.raises(LoaderError, match="the loader is closed"):
            pickle.dumps(closed)
    for file in files:
        file.close()


def send_rest(loader: Loader, pipe: Any) -> None:
    with loader:
        pipe.send([part.numpy() for part in rest_of(loader)])


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("keep", ["none", "decoded"])
def test_another_process_goes_on(make_config: MakeConfig, method: str, keep: str) -> None:
    with build_loader(make_config(cache={"keep": keep, "memory": 0.05}, **SMALL)) as loader:
        next(iter(loader))
        context = multiprocessing.get_context(method)
        ours, theirs = context.Pipe()
        child = context.Process(target=send_rest, args=(loader, theirs))
        child.start()  # type: ignore[attr-defined]
        try:
            assert ours.poll(60), "the child gives nothing"
            found = ours.recv()
        finally:
            child.kill()  # type: ignore[attr-defined]
            child.join()  # type: ignore[attr-defined]
        expected = rest_of(loader)
        assert len(found) == len(expected)
        assert all((a == b.numpy()).all() for a, b in zip(found, expected, strict=True))


def test_threads_share_an_iterator(make_config: MakeConfig) -> None:
    with build_loader(make_config(**SMALL)) as loader:
        expected = sorted(images.numpy().tobytes() for images, _ in loader)
        loader.load_state_dict({**loader.state_dict(), "epoch": 0, "delivered": 0})
        batches = iter(loader)
        found: list[bytes] = []

        def take() -> None:
            for images, _ in batches:
                found.append(images.numpy().tobytes())

        threads = [threading.Thread(target=take) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(found) == expected


def test_closed_by_another_thread(make_config: MakeConfig) -> None:
    loader = build_loader(make_config(**SMALL))
    begun, errors = threading.Event(), []

    def train() -> None:
        try:
            while True:
                for _ in loader:
                    begun.set()
        except LoaderError as e:
            errors.append(str(e))

    thread = threading.Thread(target=train)
    thread.start()
    assert begun.wait(60)
    loader.close()
    thread.join(60)
    assert len(errors) == 1
    assert errors[0].endswith("the loader is closed")


LATE = """
import sys, threading, time
from dali_voc import build_loader, parse_config
loader = build_loader(parse_config({
    "dataset": {"root": sys.argv[1]}, "loader": {"device": "cpu", "batch_size": 2},
    "augment": {"crop_size": [32, 40]},
}))
def train():
    threading.main_thread().join()  # which waits in turn for this one, at the very end
    print(sum(len(images) for _ in range(2) for images, _ in loader), flush=True)
begun = iter(loader)
next(begun)
threading.Thread(target=train).start()
"""


def test_a_thread_may_outlive_the_main_one(voc: Path) -> None:
    """No new threads can be started then; no file is to blame for that."""
    done = subprocess.run(
        [sys.executable, "-c", LATE, str(voc)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env=dict(os.environ),
    )
    assert done.stderr == ""
    assert done.stdout == "28\n"
