"""The end of the interpreter, while loaders are at work."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_code import run_code

BEGIN = """
import atexit, sys, threading, time
from dali_voc import build_loader, parse_config
def make():
    return build_loader(parse_config({
        "dataset": {"root": sys.argv[1]}, "loader": {"device": "cpu", "batch_size": 2},
        "augment": {"crop_size": [32, 40]},
    }))
"""
ENDS = {
    "a loader that nobody closes": """
loader = make()
iterator = iter(loader)
next(iterator)
print("end")
""",
    "daemon threads that go on": """
begun = threading.Event()
def work():
    loader = make()
    while True:
        for images, _ in loader:
            images.numpy().tobytes()
            begun.set()
for _ in range(2):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
print("end")
""",
    "daemon threads that make loaders": """
begun = threading.Event()
def work():
    while True:
        with make() as loader:
            next(iter(loader))
            begun.set()
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
print("end")
""",
    "a handler that uses one": """
loader = make()
next(iter(loader))
atexit.register(lambda: print("end" if len(list(loader)) == 7 else "lost"))
""",
    "a handler that waits for a thread": """
def work():
    try:
        while True:
            for _ in loader:
                begun.set()
    except Exception as e:
        print(type(e).__name__, e)
begun = threading.Event()
thread = threading.Thread(target=work, daemon=True)
atexit.register(lambda: (thread.join(), print("end")))
loader = make()
thread.start()
begun.wait()
""",
    "the last reference": """
class Late:
    def __del__(self):
        try:
            next(iter(self.loader))
        except Exception as e:
            print(e)
        print("end")
late = Late()
late.loader, late.itself = make(), late
next(iter(late.loader))
""",
}
TOLD = {
    "a handler that waits for a thread": (
        "LoaderError the interpreter ends, and no batches are made any more\n"
    ),
    "the last reference": "the loader is closed\n",
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_without_noise(voc: Path, end: str) -> None:
    for warm in False, True:  # by chance, some would abort
        done = run_code(BEGIN + ENDS[end], voc, warm=warm)
        expected = f"{TOLD.get(end, '')}end\n"
        assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
