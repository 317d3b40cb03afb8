"""What the whole process shares is read while threads, and the garbage collector, change it."""

from __future__ import annotations

from run_code import run_code

MAKE_TURNS = """
import sys, threading
from dali_voc import _turns
sys.setswitchinterval(1e-6)
kept = [_turns.Turns(lambda: None) for _ in range(200)]
stop = threading.Event()
def make():
    while not stop.is_set():
        kept.append(_turns.Turns(lambda: None))
        del kept[2000:]
thread = threading.Thread(target=make)
thread.start()
try:
    for _ in range(100):
        _turns._close_all()
    assert all(turns.closed for turns in kept[:200])
finally:
    stop.set()
    thread.join()
"""
IMPORT_IN_A_FINALIZER = """
import gc, sys, types
from dali_voc.pipeline import _temporary
class Cycle:
    def __init__(self): self.me = self
    def __del__(self):
        name = f"imported{len(sys.modules)}"
        sys.modules[name] = types.ModuleType(name)
        if gc.get_threshold()[0] == 1:
            Cycle()
before = len(sys.modules)
for _ in range(20):
    [Cycle() for _ in range(5)]
    held = [(i, i) for i in range(5000)]  # Python has no pairs in store: those that it makes count
    gc.set_threshold(1)
    _temporary.remove_temporary_files()
    gc.set_threshold(100_000)
assert len(sys.modules) > before
"""


def test_loaders_are_made_while_all_are_closed() -> None:
    done = run_code(MAKE_TURNS)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_finalizer_imports_while_modules_are_listed() -> None:
    done = run_code(IMPORT_IN_A_FINALIZER)
    assert (done.returncode, done.stderr) == (0, "")
