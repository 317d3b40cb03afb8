"""The progress bar of commands that go through a split."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["show_progress"]


@contextmanager
def show_progress(
    console: Console, task: str, *, unit: str
) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, and give the function to be called with how many are done, and of how many.

    Where it cannot be shown, as nobody listens, the work goes on.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=console,
    )
    shown = bar.add_task(escape(task), total=None)
    begun = False

    def progress(done: int, total: int) -> None:
        nonlocal begun
        begun = True
        with contextlib.suppress(OSError):
            bar.start()  # not before there is something to show
            bar.update(shown, completed=done, total=total)

    try:
        yield progress
    finally:
        with contextlib.suppress(OSError):
            if begun:  # else it would end a line that is none
                bar.stop()
