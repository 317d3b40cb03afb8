"""`dali-voc verify`: reads every pair, and lists what is wrong with which file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from dali_voc._files import write_text
from dali_voc.commands._progress import show_progress
from dali_voc.config import load_config
from dali_voc.errors import ConfigError
from dali_voc.verifying import Verification, verify_split

__all__ = ["verify"]


def verify(
    config: Annotated[Path, typer.Argument(help="A YAML configuration.")],
    split: Annotated[str, typer.Option(help="The split to read.")] = "train",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key: dataset.root=/data/VOC."),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Do not decode images: check their headers and markers only."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="CPU threads. Default: what loader.threads says.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Also write what was found to this file, as JSON.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing; the exit code says it.")
    ] = False,
) -> None:
    """Read every pair of a split and list what is wrong: the exit code is 1 if anything is.

    Checked are headers, that image and label have one size, that both can be decoded, and that the
    label's values are the data set's.

    Example: dali-voc verify configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    console = Console(quiet=quiet, soft_wrap=True)
    overrides = [*(settings or []), *([f"loader.threads={jobs}"] if jobs else [])]
    checked = load_config(config, overrides=overrides)
    if json and not json.parent.is_dir():
        raise ConfigError(f"{json}: found no folder {json.parent}, expected one to write into")
    with show_progress(console, split, unit="pairs") as progress:
        found = verify_split(checked, split=split, fast=fast, progress=progress)
    if json:
        write_text(json, found.to_json())
    _show(console, found)
    if not found.is_sound:
        raise typer.Exit(1)


def _show(console: Console, found: Verification) -> None:
    if found.listing:
        console.print(f"[red]{escape(found.listing)}[/]", highlight=False)
    for fault in found.faults:
        console.print(f"[bold]{escape(fault.file)}[/]: {escape(fault.reason)}", highlight=False)
    how = "" if found.decoded else ", without decoding the images"
    pairs = f"{found.pairs:,} pairs of '{escape(found.split)}' read{how}"
    if found.is_sound:
        console.print(f"{pairs}: [green]nothing is wrong[/]", highlight=False)
    elif found.faults:
        files = f"{len(found.faults):,} bad file{'s' if len(found.faults) > 1 else ''}"
        console.print(f"{pairs}: [red]{files} in {found.bad_pairs:,} of them[/]", highlight=False)
    else:
        console.print(f"{pairs}: [red]each is sound, but not the data set[/]", highlight=False)
