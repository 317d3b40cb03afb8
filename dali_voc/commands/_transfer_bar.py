"""The progress bar of transfers: bytes, rate and remaining time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

__all__ = ["show_transfer"]


@contextmanager
def show_transfer(console: Console) -> Iterator[Callable[[str, int, int | None], None]]:
    """Show a bar for each step, and give the function that is told how far a step is."""
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def progress(step: str, done: int, total: int | None) -> None:
        bars.start()  # not before there is something to show
        if step not in tasks:
            # what was there before is no part of the rate
            tasks[step] = bars.add_task(step, total=total, completed=done)
        bars.update(tasks[step], completed=done, total=total)

    try:
        yield progress
    finally:
        if tasks:
            bars.stop()
