"""`dali-voc pack`: a split in a few large files, for fast reading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from dali_voc.commands._options import (
    ConfigFile,
    Jobs,
    JsonFile,
    Quiet,
    Settings,
    Split,
    expand_path,
)
from dali_voc.commands._output import Output, open_output
from dali_voc.commands._progress import show_progress
from dali_voc.config import Config, load_config
from dali_voc.datasets._pack_format import PackIndex
from dali_voc.errors import ConfigError

__all__ = ["pack"]

_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def pack(
    config: ConfigFile,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            callback=expand_path,
            help="The folder of packed splits; made if missing.",
        ),
    ],
    split: Split = "train",
    settings: Settings = None,
    shard_size: Annotated[
        str,
        typer.Option(metavar="BYTES", help="What a shard may have; K, M, G, T are powers of 1024."),
    ] = "1G",
    jpeg_restarts: Annotated[
        bool,
        typer.Option(
            "--jpeg-restarts",
            help="Rewrite JPEG images, without loss, so that windows of large ones decode faster.",
        ),
    ] = False,
    jobs: Jobs = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Write a split into a few large files: images as they are, labels as class indices.

    Reads with dataset.name=packed, dataset.root=OUT. A run that was interrupted goes on where it
    stopped. A bad pair ends it, or is left out with loader.on_error=skip.

    Example: dali-voc pack configs/voc2012.yaml -o /data/voc-packed --split train
    """
    output = open_output(json=json, quiet=quiet)
    overrides = [*(settings or []), *([f"loader.threads={jobs}"] if jobs else [])]
    checked = load_config(config, overrides=overrides)
    index = _pack(
        output,
        checked,
        out,
        split=split,
        shard_size=_parse_size(shard_size),
        jpeg_restarts=jpeg_restarts,
    )
    size = sum(shard.size for shard in index.shards)
    output.write(
        {
            "split": split,
            "pairs": index.records,
            "left_out": len(index.left_out),
            "shards": len(index.shards),
            "bytes": size,
            "folder": str(out / split),
        }
    )
    shards = f"{len(index.shards):,} shard{'s' * (len(index.shards) > 1)}"
    output.say(
        f"{index.records:,} pairs in {shards} of {size / 1e6:,.1f} MB in all: "
        f"[bold]{escape(str(out / split))}[/]"
    )
    if index.left_out:
        output.say(f"bad pairs that were left out: {len(index.left_out):,}")


def _parse_size(text: str) -> int:
    found = re.fullmatch(r"(\d+)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    size = int(found.group(1)) * _UNITS[found.group(2).upper()] if found else 0
    if size < 1:
        raise ConfigError(f"--shard-size: found {text!r}, expected bytes, such as 512M or 1G")
    return size


def _pack(output: Output, config: Config, out: Path, *, split: str, **options: Any) -> PackIndex:
    from dali_voc.packing import pack_split

    with show_progress(output.console, split, unit="pairs") as progress:
        return pack_split(config, out, split=split, progress=progress, **options)
