"""A process for work that may leave the GPU unusable: after a kernel's fault nothing runs there."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Any

from typing_extensions import Self

from benchmarks.gpu.rounds import in_a_sentence

__all__ = ["Worker"]


class Worker:
    """Runs functions in one process, one after another, and after a failure in a new one."""

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None

    def run(
        self, function: Callable[..., dict[str, Any]], *args: Any, **named: Any
    ) -> dict[str, Any]:
        """Return what a function of a module returns, or `error`, a sentence."""
        self._process = self._process or ProcessPoolExecutor(
            1, mp_context=multiprocessing.get_context("spawn")
        )
        try:
            return self._process.submit(function, *args, **named).result()
        except Exception as e:  # of any library, or the process died
            self._process.shutdown(wait=False)
            self._process = None
            return {"error": in_a_sentence(e)}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        if self._process:
            self._process.shutdown()
