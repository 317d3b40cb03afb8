"""`dali-voc download`: a data set from its public address to its folder."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from dali_voc.commands._options import JsonFile, Quiet, expand_path
from dali_voc.commands._output import Output, open_output
from dali_voc.commands._progress import show_transfer
from dali_voc.downloading import (
    BY_HAND,
    Checksum,
    Downloaded,
    Patience,
    choose_archive,
    data_set_name,
    parse_checksum,
)
from dali_voc.downloading import download as fetch_data_set
from dali_voc.errors import DownloadError

__all__ = ["download"]


def download(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="voc2012, another year from voc2007 on, voc2012_aug (SBD); or cityscapes, ade20k, "
            "coco_stuff, coco_panoptic, mapillary, camvid, for which it says what to fetch.",
        ),
    ],
    root: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER",
            callback=expand_path,
            help="The folder for VOCdevkit or the like; made if missing.",
        ),
    ],
    mirror: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Another address of the same archive, or of its folder (ends with /).",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Address or path of another archive in the same layout."
        ),
    ] = None,
    md5: Annotated[str | None, typer.Option(metavar="HEX", help="The archive's checksum.")] = None,
    sha256: Annotated[
        str | None, typer.Option(metavar="HEX", help="The archive's checksum.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the archive.")] = False,
    tries: Annotated[int, typer.Option(min=1, metavar="N", help="Attempts without progress.")] = 6,
    timeout: Annotated[
        float,
        typer.Option(min=0.1, metavar="S", help="Seconds without a byte that end an attempt."),
    ] = 30.0,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Fetch a data set, check it, and unpack it; a transfer that broke goes on where it stopped.

    Exit codes: 0 it is there, or what to fetch by hand is printed; 1 it failed, as one sentence
    says; 130 interrupted.

    Example: dali-voc download voc2012 --root /data
    """
    output = open_output(json=json, quiet=quiet)
    known = data_set_name(name)
    if known in BY_HAND:
        _say_what_to_fetch(output, known, root)
        return
    archive = choose_archive(known, url=url, mirror=mirror, checksum=_checksum(md5, sha256))
    try:
        with show_transfer(output.console) as progress:
            done = fetch_data_set(
                known,
                root,
                archive=archive,
                keep=keep,
                patience=Patience(tries=tries, timeout=timeout),
                progress=progress,
            )
    except KeyboardInterrupt:
        print(
            "dali-voc: interrupted; what has come is kept, and the same command goes on from there",
            file=sys.stderr,
        )
        raise typer.Exit(130) from None
    output.write(
        {
            "dataset": done.dataset,
            "root": str(done.root),
            "is_there": True,
            "was_there": done.was_there,
            "pairs": done.pairs,
        }
    )
    _say_what_is_there(output, done)


def _checksum(md5: str | None, sha256: str | None) -> Checksum | None:
    if md5 is not None and sha256 is not None:
        raise DownloadError("--md5, --sha256: found both, expected one")
    if sha256 is not None:
        return parse_checksum("sha256", sha256)
    return parse_checksum("md5", md5) if md5 is not None else None


def _say_what_is_there(output: Output, done: Downloaded) -> None:
    output.say(
        f"{'already there' if done.was_there else 'done'}: [bold]{escape(str(done.root))}[/], "
        f"{done.pairs:,} pairs",
    )
    _say_how_to_use(output, done.dataset, done.root)


def _say_how_to_use(output: Output, dataset: str, root: Path) -> None:
    where = escape(str(root))
    output.say(f"in a configuration:  dataset: {{name: {dataset}, root: {where}}}")
    output.say(
        "to check every file: dali-voc verify "
        f"configs/{dataset}.yaml --set {escape(shlex.quote(f'dataset.root={root}'))}",
    )


def _say_what_to_fetch(output: Output, name: str, root: Path) -> None:
    by_hand = BY_HAND[name]
    folder = by_hand.place(root)
    into = folder.parent if by_hand.makes_folder else folder
    is_there = by_hand.is_there(root)
    output.write(
        {
            "dataset": name,
            "root": str(folder),
            "is_there": is_there,
            "fetch": [] if is_there else list(by_hand.files),
            "into": str(into),
        }
    )
    if is_there:
        output.say(f"already there: [bold]{escape(str(folder))}[/]")
    else:
        output.say(f"{by_hand.title} needs {by_hand.needs}.")
        output.say(f"Fetch, into {escape(str(into))}:")
        for file in by_hand.files:
            output.say(f"  {file}")
        output.say("When all is done there are:")
        for path in by_hand.layout:
            output.say(f"  {escape(str(folder / path))}")
    _say_how_to_use(output, name, folder)
