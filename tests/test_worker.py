"""`Worker`: calls in order, in a thread that ends, whoever is interrupted meanwhile."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from run_code import run_code

from dali_voc import Config, build_loader
from dali_voc._dali_errors import cannot_start
from dali_voc._worker import Worker, run_in_thread
from dali_voc.datasets import find_index
from dali_voc.datasets._file_state import state_of_files

MakeConfig = Callable[..., Config]


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def wait_for_threads(number: int) -> None:
    deadline = time.monotonic() + 30
    while threads() > number and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads() <= number


def test_calls_are_made_in_order_in_one_other_thread() -> None:
    worker = Worker()
    made: list[tuple[int, int]] = []
    answers = [
        worker.submit(lambda i=i: made.append((i, threading.get_ident())))  # type: ignore[misc]
        for i in range(50)
    ]
    for answer in answers:
        answer.wait()
    assert [i for i, _ in made] == list(range(50))
    (ident,) = {ident for _, ident in made}
    assert ident != threading.get_ident()
    worker.close()


def test_answers() -> None:
    def fail() -> None:
        raise ValueError("no")

    worker = Worker()
    good, bad, after = worker.submit(lambda: 7), worker.submit(fail), worker.submit(lambda: None)
    assert good.result() == good.result() == 7
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            bad.result()
    assert after.result() is None
    worker.close()


def test_several_wait() -> None:
    worker, go, found = Worker(), threading.Event(), []
    answer = worker.submit(go.wait)
    waiting = [
        threading.Thread(target=lambda: found.append(answer.result()), daemon=True)
        for _ in range(4)
    ]
    for thread in waiting:
        thread.start()
    go.set()
    for thread in waiting:
        thread.join(30)
    assert found == [True] * 4
    worker.close()


def test_closing_waits_and_ends_the_thread() -> None:
    before = threads()
    worker, made = Worker(), []
    worker.submit(lambda: time.sleep(0.2))
    worker.submit(lambda: made.append(1))
    worker.close()
    assert made == [1]
    wait_for_threads(before)
    worker.close()
    with pytest.raises(RuntimeError, match="the thread has ended"):
        worker.submit(int)


def test_it_ends_with_the_last_reference_and_holds_nothing() -> None:
    class Thing:
        pass

    before = threads()
    worker, thing = Worker(), Thing()
    gone = weakref.ref(thing)
    worker.submit(lambda thing=thing: None).wait()  # type: ignore[misc]
    del thing
    deadline = time.monotonic() + 30
    while gone() is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert gone() is None
    del worker
    gc.collect()
    wait_for_threads(before)


def test_a_thread_for_one_call() -> None:
    before = threads()
    assert run_in_thread(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        run_in_thread(lambda: 1 // 0)
    wait_for_threads(before)


def test_where_no_thread_is_to_be_had(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches are then made when they are asked for."""
    config = make_config(augment={"crop_size": [40, 56]})
    with build_loader(config) as loader:
        expected = [images.sum() for images, _ in loader]

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with build_loader(config) as loader, monkeypatch.context() as patch:
        # what builds the pipeline has a thread
        patch.setattr("dali_voc._prefetch.Worker", refused_worker(refuse, patch))
        found = [images.sum() for images, _ in loader]
    assert found == expected


def refused_worker(refuse: Callable[..., None], patch: pytest.MonkeyPatch) -> Callable[[], Worker]:
    def make() -> Worker:
        with patch.context() as inner:
            inner.setattr("_thread.start_new_thread", refuse)
            worker = Worker()
        with pytest.raises(RuntimeError, match="can't start new thread"):
            worker.submit(int)
        return worker

    return make


@pytest.mark.parametrize(
    ("text", "advised"),
    [
        ("Resource temporarily unavailable", True),
        ("can't start new thread", True),
        ("no CUDA-capable device is detected", False),
    ],
)
def test_too_few_threads_for_dali(text: str, advised: bool) -> None:
    error = cannot_start(RuntimeError(text))
    assert str(error).startswith(f"DALI cannot start its pipeline: {text}")
    assert ("lower loader.threads, or raise the limit (ulimit -u" in str(error)) == advised


def test_files_are_looked_at_without_threads(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = find_index(make_config().dataset, "train")
    expected = state_of_files(index)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert state_of_files(index) == expected


# interrupts at any moment within `next`, by a timer of the kernel
CAMPAIGN = """
import faulthandler, random, signal, sys
from dali_voc import build_loader, parse_config
loader = build_loader(parse_config({
    "dataset": {"root": sys.argv[1]},
    "loader": {"device": "cpu", "batch_size": 2, "threads": 1},
    "augment": {"crop_size": [32, 40]}, "cache": {"keep": sys.argv[2]},
}))
expected = [images.sum().item() for images, _ in loader]
hits, inside = 0, False
def strike(*_):
    global hits
    if inside:
        hits += 1
        raise KeyboardInterrupt
signal.signal(signal.SIGALRM, strike)
random.seed(3)
while hits < int(sys.argv[3]):
    faulthandler.dump_traceback_later(60, exit=True)
    iterator = iter(loader)
    while True:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 + random.random() ** 3 * 0.04)
        try:
            inside = True
            next(iterator)
            inside = False
        except KeyboardInterrupt:
            inside = False
        except StopIteration:
            inside = False
            break
signal.setitimer(signal.ITIMER_REAL, 0)
loader.set_epoch(0)
assert [images.sum().item() for images, _ in loader] == expected
loader.close()
"""


@pytest.mark.parametrize("keep", ["none", "decoded"])
@pytest.mark.parametrize("hits", [100, pytest.param(1500, marks=pytest.mark.slow)])
def test_interrupts_leave_no_lock_behind(voc: Path, keep: str, hits: int) -> None:
    """The process goes on, with the same batches, and ends."""
    done = run_code(CAMPAIGN, voc, keep, hits, warm=True, timeout=400)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("leave", ["os._exit(0)", "os.kill(os.getpid(), 15)", "pass"])
def test_no_temporary_files_are_left(voc: Path, tmp_path: Path, leave: str) -> None:
    """Nor are there any while a loader is at work."""
    code = f"""
import os, sys
from dali_voc import build_loader, parse_config
loader = build_loader(parse_config({{
    "dataset": {{"root": sys.argv[1]}}, "loader": {{"device": "cpu", "batch_size": 2}},
    "augment": {{"crop_size": [32, 40], "blur": 0.5}},
}}))
next(iter(loader))
print(len(os.listdir(os.environ["TMPDIR"])), flush=True)
{leave}
"""
    done = run_code(code, voc, TMPDIR=str(tmp_path))
    assert done.stdout == "0\n", done.stderr
    # an empty folder of byte code may stay
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
