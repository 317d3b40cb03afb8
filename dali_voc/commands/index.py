"""`dali-voc index`: a split's list of files in one file, for quick starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dali_voc.commands._places import check_places
from dali_voc.config import load_config
from dali_voc.errors import ConfigError
from dali_voc.indexing import write_index

__all__ = ["index"]


def index(
    config: Annotated[Path, typer.Argument(help="A YAML configuration.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            help="The file, .npz; {split} in it is filled in. Default: dataset.index.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="The split to list.")] = "train",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key: dataset.root=/data/VOC."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing.")] = False,
) -> None:
    """Write which pairs a split has to one file, so that later starts list no folders.

    It is read with dataset.index=FILE, and refused when folders or lists have changed since.

    Example: dali-voc index configs/voc2012.yaml -o /data/voc-{split}.npz --split train
    """
    console = Console(quiet=quiet, soft_wrap=True)
    checked = load_config(config, overrides=settings or [])
    if out is None:
        path = checked.dataset.index_file(split)
    else:
        path = Path(str(out).replace("{split}", split))
    if path is None:
        raise ConfigError("dataset.index: found null and no --out, expected the file to write")
    check_places(index=path)
    found = write_index(checked, path, split=split)
    size = path.stat().st_size
    console.print(
        f"{len(found):,} pairs of '{escape(split)}', {size / 1e6:,.1f} MB: "
        f"[bold]{escape(str(path))}[/]",
        highlight=False,
    )
