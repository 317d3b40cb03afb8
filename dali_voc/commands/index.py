"""`dali-voc index`: a split's list of files in one file, for quick starts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dali_voc.commands._options import ConfigFile, JsonFile, Quiet, Settings, Split, expand_path
from dali_voc.commands._output import open_output
from dali_voc.config import Config, load_config
from dali_voc.errors import ConfigError
from dali_voc.indexing import write_index

__all__ = ["index"]


def index(
    config: ConfigFile,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            callback=expand_path,
            help="The index, .npz; {split} in it is filled in. Default: dataset.index.",
        ),
    ] = None,
    split: Split = "train",
    settings: Settings = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Write which pairs a split has to one file, so that later starts list no folders.

    It is read with dataset.index=FILE, and refused when folders or lists have changed since.

    Example: dali-voc index configs/voc2012.yaml -o /data/voc-{split}.npz --split train
    """
    checked = load_config(config, overrides=settings or [])
    path = _place(checked, out, split)
    output = open_output(json=json, quiet=quiet, index=path)
    found = write_index(checked, path, split=split)
    size = path.stat().st_size
    output.write({"split": split, "pairs": len(found), "index": str(path), "bytes": size})
    output.say(
        f"{len(found):,} pairs of '{escape(split)}', {size / 1e6:,.1f} MB: "
        f"[bold]{escape(str(path))}[/]"
    )


def _place(config: Config, out: Path | None, split: str) -> Path:
    if out is not None:
        return Path(str(out).replace("{split}", split))
    path = config.dataset.index_file(split)
    if path is None:
        raise ConfigError("dataset.index: found null and no --out, expected the file to write")
    return path
