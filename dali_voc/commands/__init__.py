"""The `dali-voc` command; one file per sub-command."""

from __future__ import annotations

import logging
import sys

import typer

from dali_voc.commands.bench import bench
from dali_voc.commands.config import config
from dali_voc.commands.demo import demo
from dali_voc.commands.download import download
from dali_voc.commands.index import index
from dali_voc.commands.pack import pack
from dali_voc.commands.preview import preview
from dali_voc.commands.stats import stats
from dali_voc.commands.verify import verify
from dali_voc.errors import DaliVocError

__all__ = ["app", "main"]

app = typer.Typer(
    help="Semantic-segmentation batches for PyTorch through NVIDIA DALI.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 1 the data, the configuration or the machine does not allow it, "
    "said in one sentence; 2 wrong usage; 130 interrupted.",
)
app.command()(demo)
app.command()(bench)
app.command()(pack)
app.command()(stats)
app.command()(verify)
app.command()(download)
app.command()(preview)
app.command()(index)
app.command()(config)


def main() -> None:
    """Run the command line; known errors become one sentence on stderr and exit code 1."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    try:
        app()
    except DaliVocError as e:
        sys.exit(f"dali-voc: {e}")
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as e:
        where = f"{e.filename}: " if e.filename else ""
        sys.exit(f"dali-voc: {where}{e.strerror or e}")
