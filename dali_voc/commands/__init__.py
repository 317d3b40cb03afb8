"""The `dali-voc` command; one file per sub-command.

What needs PyTorch is imported where it is used: that takes seconds, which help, mistakes and the
other commands do without.
"""

from __future__ import annotations

import errno
import inspect
import logging
import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dali_voc import __version__
from dali_voc.commands.bench import bench
from dali_voc.commands.config import config
from dali_voc.commands.demo import demo
from dali_voc.commands.doctor import doctor
from dali_voc.commands.download import download
from dali_voc.commands.index import index
from dali_voc.commands.pack import pack
from dali_voc.commands.preview import preview
from dali_voc.commands.stats import stats
from dali_voc.commands.verify import verify
from dali_voc.errors import DaliVocError

__all__ = ["app", "main"]

_INTERRUPTED, _TERMINATED = 130, 143


class _Group(TyperGroup):
    """Says what an interrupted command left: Typer would end without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print("dali-voc: interrupted", file=sys.stderr)
            raise typer.Exit(_INTERRUPTED) from None


app = typer.Typer(
    cls=_Group,
    help="Semantic-segmentation batches for PyTorch through NVIDIA DALI.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 the data, the configuration or the machine does not allow it, "
    "said in one sentence; 2 wrong usage; 130 interrupted, 143 terminated. A file of results "
    "appears under its name only when it is complete.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"dali-voc {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option(
            "-V",
            "--version",
            is_eager=True,
            callback=_show_version,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    pass


def _reflow(text: str) -> str:
    """Join the lines of each paragraph, which Typer would keep but for the first."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


_ROOMS = {
    "First steps": (demo, download, doctor),
    "Data": (verify, preview, stats, index, pack),
    "Configuration and speed": (config, bench),
}
for _room, _commands in _ROOMS.items():
    for _command in _commands:
        app.command(help=_reflow(_command.__doc__ or ""), rich_help_panel=_room)(_command)


def main() -> None:
    """Run the command line; known errors become one sentence on stderr and exit code 1."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    # as the first process of a container, Python would not listen to `docker stop`
    signal.signal(signal.SIGTERM, _terminate)
    try:
        os.getcwd()
    except FileNotFoundError:
        sys.exit("dali-voc: the folder that this was started in is gone")
    try:
        app()
    except DaliVocError as e:
        sys.exit(f"dali-voc: {e}")
    except OSError as e:
        where = f"{e.filename}: " if e.filename else ""
        if not where and e.errno in (errno.ENOSPC, errno.EPIPE, errno.EBADF):
            where = "standard output: "  # those of files that we write have a name
        sys.exit(f"dali-voc: {where}{e.strerror or e}")


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    os.write(2, b"dali-voc: terminated\n")
    sys.exit(_TERMINATED)
