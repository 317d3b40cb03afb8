"""A thread for one call after another, whose callers may be interrupted at any moment.

`concurrent.futures` and `threading` hold locks in Python code: an interrupt, or whatever else the
handler of a signal raises, may leave one locked in the main thread, and the process then never
ends. Here all that waits is C: a queue that gives its item or does not, and a thread that is
started by one call.
"""

from __future__ import annotations

import _thread
import atexit
import os
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

__all__ = ["Answer", "Worker", "run_in_thread"]

_LOST = 1.0  # seconds after which to look again: an interrupt may have taken the item away
T = TypeVar("T")
_Calls = SimpleQueue[tuple["Answer[Any]", Callable[[], Any]] | None]
_ENDED = "the thread has ended"
_running: dict[Answer[None], _Calls] = {}  # threads by their ends


class Answer(Generic[T]):
    """What a call will have come to."""

    def __init__(self, thread: Answer[None] | None = None) -> None:
        self._thread = thread  # whose end is the end of what it has not done
        self._given: SimpleQueue[None] = SimpleQueue()
        self._value: T | None = None
        self._error: BaseException | None = None
        self._done = False

    def fill(self, call: Callable[[], T]) -> None:
        """Make the call; in the thread."""
        try:
            self._value = call()
        except BaseException as e:  # it is the caller's
            self._error = e
        self._done = True
        self._given.put(None)

    def wait(self) -> None:
        """Wait for the end of the call.

        Raises:
            RuntimeError: it was submitted while the thread came to its end, and is not made.
        """
        while not self._done:
            ended = self._thread is not None and self._thread._done
            try:
                self._given.get(timeout=_LOST)
            except Empty:
                if ended:
                    raise RuntimeError(_ENDED) from None
                continue
            self._given.put(None)  # for another who waits

    def result(self) -> T:
        """Wait, and return what the call returned, or raise what it raised."""
        self.wait()
        if self._error is not None:
            raise self._error
        value: T = self._value  # type: ignore[assignment]
        return value


class Worker:
    """A thread that makes calls in the order in which they are submitted.

    It ends with `close`, with the last reference to this, or before the interpreter does, after the
    calls that were submitted. Where the system gives no thread, it takes none.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._calls: _Calls = SimpleQueue()
        self._end: Answer[None] = Answer()
        self._closed = False
        self._problem = _ENDED
        _running[self._end] = self._calls
        try:
            _thread.start_new_thread(_run, (self._calls, self._end))
        except RuntimeError as e:
            self._closed, self._problem = True, str(e)
            _finish(self._end)

    def __del__(self) -> None:
        calls = self.__dict__.get("_calls")  # none where it was interrupted while it was made
        if calls is not None:
            calls.put(None)

    def submit(self, call: Callable[[], T]) -> Answer[T]:
        """Let the thread make a call.

        Raises:
            RuntimeError: there is no thread, or no more.
        """
        if self._closed:
            raise RuntimeError(self._problem)
        answer: Answer[T] = Answer(self._end)
        self._calls.put((answer, call))
        return answer

    def close(self, *, wait: bool = True) -> None:
        """Take no more calls, and end after those that were submitted."""
        self._closed = True
        self._calls.put(None)
        if wait and self._process == os.getpid():  # a forked child has no such thread
            self._end.wait()


def _run(calls: _Calls, end: Answer[None]) -> None:
    while True:
        item = calls.get()
        if item is None:
            _finish(end)
            return
        answer, call = item
        answer.fill(call)
        del item, answer, call  # whoever waits for the next holds nothing


def _finish(end: Answer[None]) -> None:
    _running.pop(end, None)
    end.fill(lambda: None)


def run_in_thread(call: Callable[[], T]) -> T:
    """Make a call in a thread of its own, and wait for its end, in an interrupt, too.

    Raises:
        RuntimeError: the system gives no thread.
    """
    worker = Worker()
    try:
        return worker.submit(call).result()
    finally:
        worker.close()


def _end_all() -> None:
    """End threads while there is an interpreter for them."""
    for end, calls in _running.copy().items():  # threads end meanwhile
        calls.put(None)
        end.wait()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_running.clear)  # they are not there
