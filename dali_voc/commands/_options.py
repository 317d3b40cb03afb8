"""Options that commands share, so that they mean the same and look the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dali_voc._config_section import expanded

__all__ = ["ConfigFile", "Jobs", "JsonFile", "Quiet", "Settings", "Split", "expand_path"]


def expand_path(path: Path | None) -> Path | None:
    """Replace `~`, which shells leave behind `--out=`, and `$VARIABLES`, as in configurations."""
    return None if path is None else expanded(str(path))


ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", readable=False, help="A YAML configuration.")
]

Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a key, such as loader.batch_size=8; any number of times.",
    ),
]

Split = Annotated[str, typer.Option(metavar="NAME", help="The split.")]

Jobs = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="CPU threads. Default: what loader.threads says."),
]

JsonFile = Annotated[
    Path | None,
    typer.Option(
        "--json",
        metavar="FILE",
        callback=expand_path,
        help="Also write what was found to this file, as JSON; - is standard output.",
    ),
]

Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="Print nothing but errors; the exit code says how it went."),
]
