"""One thread at a time takes a batch of a loader, or closes it."""

from __future__ import annotations

import atexit
import functools
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TypeVar

from dali_voc.errors import LoaderError

__all__ = ["Turns", "close_at_exit"]

T = TypeVar("T")
# by id; no WeakSet, which another thread may not add to while it is copied
_all: weakref.WeakValueDictionary[int, Turns] = weakref.WeakValueDictionary()
_exiting: list[int] = []  # the thread that ends the interpreter, once it does
_LEFT_TO_EXIT = 2.0  # seconds


class Turns:
    """Lets one thread in at a time; who is inside when it is closed ends it on the way out.

    A signal's handler runs in a thread that may be inside: it must not wait for itself.

    Args:
        end: called when nobody is inside any more; perhaps more than once.

    Attributes:
        closed: whether it was closed.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self.closed = False
        self._end = end
        self._lock = threading.RLock()
        self._inside = False
        _all[id(self)] = self

    def run(self, work: Callable[[], T]) -> T:
        """Do something while no other thread is in, and return what comes of it.

        No context manager: one in Python would stay inside where it is interrupted on its way in.

        Raises:
            LoaderError: this thread is inside: a signal's handler came in between; or the
                interpreter ends.
        """
        if _exiting and threading.get_ident() not in _exiting:
            _leave_to_exit()
        with self._lock:
            if self._inside:
                raise LoaderError("this thread is taking a batch already")
            try:
                self._inside = True
                return work()
            finally:
                self._inside = False
                if self.closed:
                    self.close()

    def close(self) -> None:
        """Wait until nobody is inside, and end."""
        self.closed = True
        with self._lock:
            if self._inside:  # this thread is, below us: it ends on its way out
                return
            try:
                self._inside = True
                self._end()
            finally:
                self._inside = False

    def renew(self) -> None:
        """Forget who is inside: in a forked child, whoever it was is not here."""
        self._lock = threading.RLock()
        self._inside = False


def _leave_to_exit() -> None:
    """Let a daemon thread sleep while the interpreter ends, which then ends it without noise.

    One that goes on is ended in the middle of whatever it does, and in a tensor's destructor that
    ends the process with an abort (SIGABRT).

    Raises:
        LoaderError: it takes long, perhaps because somebody waits for this thread.
    """
    time.sleep(_LEFT_TO_EXIT)
    raise LoaderError("the interpreter ends, and no batches are made any more")


@functools.cache
def close_at_exit() -> None:
    """Let all be closed when the interpreter ends.

    To be called when DALI has been imported: else it ends its pipelines first, in the middle of the
    batches of threads that go on.
    """
    atexit.register(_close_all)


def _living() -> list[Turns]:
    return [turns for ref in _all.valuerefs() if (turns := ref()) is not None]


def _close_all() -> None:
    _exiting.append(threading.get_ident())
    for turns in _living():
        turns.close()


def _renew_all() -> None:
    for turns in _living():
        turns.renew()


os.register_at_fork(after_in_child=_renew_all)
