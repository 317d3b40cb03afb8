"""A loader in other hands: copies, other processes, several threads, the end of the interpreter."""

from __future__ import annotations

import copy
import gc
import multiprocessing
import pickle
import signal
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from run_code import run_code

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


class Mine(Loader):
    pass


def test_kinds_of_ones_own_say_how_they_are_copied(make_config: MakeConfig) -> None:
    with build_loader(make_config(**SMALL)) as loader:
        mine = Mine(**loader._given)  # type: ignore[arg-type]
        with mine, pytest.raises(TypeError, match="a Mine can be copied only if it has"):
            copy.deepcopy(mine)


def test_weights_are_those_that_were_given(make_config: MakeConfig) -> None:
    weights = np.ones(14)
    with build_loader(make_config(**SMALL), weights=weights) as loader:
        expected = rest_of(loader, epochs=1)
        weights[:] = 0
        weights[3] = 1
        loader.set_epoch(0)
        with copy.copy(loader) as other:
            for again in (loader, other):
                assert all(map(torch.equal, rest_of(again, epochs=1), expected))
            assert other.state_dict() == loader.state_dict()


def test_forked_while_a_thread_takes_batches(make_config: MakeConfig) -> None:
    """The child has the lock as it was, and not the thread that would open it."""
    with build_loader(make_config(**SMALL)) as loader:
        begun, ended = threading.Event(), threading.Event()

        def train() -> None:
            while not ended.is_set():
                for _ in loader:
                    begun.set()

        thread = threading.Thread(target=train)
        thread.start()
        assert begun.wait(60)
        try:
            for _ in range(8):
                with loader._turns._lock:  # in any case
                    child = multiprocessing.get_context("fork").Process(target=use, args=(loader,))
                    child.start()
                child.join(60)
                alive = child.is_alive()
                child.kill()
                child.join()
                assert not alive
                assert child.exitcode == 0
        finally:
            ended.set()
            thread.join()


def use(loader: Loader) -> None:
    next(iter(loader))
    loader.close()


def test_closed_by_a_signal(make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose handler runs in the thread that waits for a batch: that ends the loader afterwards."""
    loader = build_loader(make_config(cache={"keep": "encoded", "memory": 0.05}, **SMALL))
    fetch = loader._fetcher.fetch

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGUSR1)
        return fetch(*arguments)

    monkeypatch.setattr(loader._fetcher, "fetch", interrupted)
    before = signal.signal(signal.SIGUSR1, lambda *_: loader.close())
    try:
        batches = iter(loader)
        next(batches)
        assert loader._fetcher.prefetcher is None
        with pytest.raises(LoaderError, match="the loader is closed"):
            next(batches)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_closed_by_a_signal_while_it_is_closed(make_config: MakeConfig) -> None:
    """The handler runs in the thread that closes the loader: it must not wait for itself."""
    loader = build_loader(make_config(**SMALL))
    next(iter(loader))
    prefetcher = loader._fetcher.prefetcher
    assert prefetcher is not None
    busy = threading.Event()
    prefetcher._worker.submit(lambda: busy.wait(60))  # what closing waits for
    before = signal.signal(signal.SIGALRM, lambda *_: (loader.close(), busy.set()))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        loader.close()
        assert busy.is_set()
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_handler_cannot_take_a_batch_within_a_batch(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with build_loader(make_config(**SMALL)) as loader:
        batches = iter(loader)
        with monkeypatch.context() as patched:
            patched.setattr(loader._fetcher, "fetch", lambda _: next(batches))
            with pytest.raises(LoaderError, match="this thread is taking a batch already"):
                next(batches)
        assert len(list(batches)) == len(loader)


def test_a_loader_ends_with_the_last_reference(make_config: MakeConfig) -> None:
    """Not when garbage is collected, some time: its memory may be needed for the next."""
    gc.collect()
    gc.disable()
    try:
        loader = build_loader(make_config(**SMALL))
        batch = next(iter(loader))
        pipeline = weakref.ref(loader._fetcher.prefetcher._pipeline)  # type: ignore[union-attr]
        gone = weakref.ref(loader)
        del loader
        assert gone() is None
        deadline = time.monotonic() + 60  # for its thread, which may be at work
        while pipeline() is not None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pipeline() is None
        assert len(batch) == 2
    finally:
        gc.enable()


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
    done = run_code(LATE, voc, warm=True)
    assert done.stderr == ""
    assert done.stdout == "28\n"
