"""Progress bars: of commands that go through a split, and of transfers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

__all__ = ["show_progress", "show_transfer"]


@contextmanager
def show_progress(
    console: Console, task: str, *, unit: str
) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, and give the function to be called with how many are done, and of how many."""
    columns = (MofNCompleteColumn(), TextColumn(unit), TimeElapsedColumn())
    with _bars(console, *columns) as progress:
        yield lambda done, total: progress(escape(task), done, total)


@contextmanager
def show_transfer(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar for each step: bytes, rate and remaining time.

    Gives the function that is told how far a step is.
    """
    columns = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with _bars(console, *columns) as progress:
        yield progress


@contextmanager
def _bars(
    console: Console, *columns: ProgressColumn
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar for each name; where it cannot be shown, as nobody listens, the work goes on."""
    bars = Progress(TextColumn("{task.description}"), BarColumn(), *columns, console=console)
    tasks: dict[str, TaskID] = {}

    def progress(name: str, done: int, total: int | None) -> None:
        with contextlib.suppress(OSError):
            bars.start()  # not before there is something to show
            if name not in tasks:
                # what was there before is no part of the rate
                tasks[name] = bars.add_task(name, total=total, completed=done)
            bars.update(tasks[name], completed=done, total=total)

    try:
        yield progress
    finally:
        with contextlib.suppress(OSError):
            if tasks:  # else it would end a line that is none
                bars.stop()
