"""The progress bar of commands that go through a split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["show_progress"]


@contextmanager
def show_progress(
    console: Console, split: str, *, unit: str
) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, and give the function to be called with how many are done, and of how many."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        task = progress.add_task(split, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
