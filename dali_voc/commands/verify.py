"""`dali-voc verify`: reads every pair, and lists what is wrong with which file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from dali_voc.commands._options import ConfigFile, Jobs, JsonFile, Quiet, Settings, Split
from dali_voc.commands._output import Output, open_output
from dali_voc.commands._progress import show_progress
from dali_voc.config import load_config

if TYPE_CHECKING:
    from dali_voc.verifying import Verification

__all__ = ["verify"]


def verify(
    config: ConfigFile,
    split: Split = "train",
    settings: Settings = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Do not decode images: check their headers and markers only."),
    ] = False,
    jobs: Jobs = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Read every pair of a split and list what is wrong: the exit code is 1 if anything is.

    Checked are headers, that image and label have one size, that both can be decoded, and that the
    label's values are the data set's. JPEG files that loaders read, though libjpeg warns of damage,
    are listed, too, and do not count.

    Example: dali-voc verify configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    output = open_output(json=json, quiet=quiet)
    overrides = [*(settings or []), *([f"loader.threads={jobs}"] if jobs else [])]
    checked = load_config(config, overrides=overrides)
    from dali_voc.verifying import verify_split

    with show_progress(output.console, split, unit="pairs") as progress:
        found = verify_split(checked, split=split, fast=fast, progress=progress)
    output.write(found.facts())
    _show(output, found)
    if not found.is_sound:
        raise typer.Exit(1)


def _show(output: Output, found: Verification) -> None:
    if found.listing:
        output.say(f"[red]{escape(found.listing)}[/]")
    for fault in found.faults:
        output.say(f"[bold]{escape(fault.file)}[/]: {escape(fault.reason)}")
    how = "" if found.decoded else ", without decoding the images"
    pairs = f"{found.pairs:,} pairs of '{escape(found.split)}' read{how}"
    damaged = len(found.damaged)
    refused = len(found.faults) - damaged
    verdicts = []
    if refused:
        verdicts.append(f"[red]{_files(refused, 'bad')} in {found.bad_pairs:,} of them[/]")
    if damaged:
        verdicts.append(f"[yellow]{_files(damaged, 'damaged')} that loaders read[/]")
    if found.listing and not refused:
        verdicts.append("[red]each is sound, but not the data set[/]")
    output.say(f"{pairs}: {', '.join(verdicts) or '[green]nothing is wrong[/]'}")


def _files(count: int, kind: str) -> str:
    return f"{count:,} {kind} file{'s' if count > 1 else ''}"
