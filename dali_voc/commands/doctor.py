"""`dali-voc doctor`: what on this machine keeps batches from being made, or slows them down."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dali_voc._files import write_text
from dali_voc.commands._places import check_places
from dali_voc.config import load_config
from dali_voc.doctoring import Finding, Level, diagnose
from dali_voc.errors import ConfigError

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warning": "yellow", "failure": "red"}
_LEVEL, _NAME = 7, 15  # columns of the longest


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(help="A YAML configuration, whose data are tried. Default: made-up data."),
    ] = None,
    split: Annotated[str, typer.Option(help="The split to try.")] = "train",
    data: Annotated[
        Path | None,
        typer.Option(help="Take the speed of storage from files below this folder."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key: dataset.root=/data/VOC."),
    ] = None,
    limit: Annotated[
        float, typer.Option(min=1.0, help="Seconds after which a check counts as hung.")
    ] = 120.0,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Also write all of it to this file.")
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print nothing; the exit code says it.")
    ] = False,
) -> None:
    """Look at driver, GPUs, libraries, limits and storage, and make a batch on each device.

    Each line is ok, a warning or a failure, with what to do. The exit code is 1 if any is a
    failure; a machine without a GPU is none.

    Example: dali-voc doctor configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    console = Console(quiet=quiet)
    check_places(report=json_file)
    if data is not None and not data.is_dir():
        raise ConfigError(f"{data}: found no such folder, expected one with files to read")
    overrides = settings or []
    checked = load_config(config, overrides=overrides) if config else None
    findings = []
    with console.status("looking"):
        for finding in diagnose(
            config=checked, overrides=overrides, split=split, folder=data, limit=limit
        ):
            findings.append(finding)
            _show(console, finding)
    levels = Counter(finding.level for finding in findings)
    _sum_up(console, levels)
    if json_file:
        write_text(json_file, _as_json(findings))
    if levels["failure"]:
        raise typer.Exit(1)


def _show(console: Console, finding: Finding) -> None:
    """Print a finding: aligned and wrapped on a terminal, else a line each for other programs."""
    style = _STYLES[finding.level]
    advice = f"-> {finding.advice}" if finding.advice else ""
    if console.is_terminal:
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=_LEVEL)
        grid.add_column(width=_NAME)
        grid.add_column(overflow="fold")
        text = Text(finding.found)
        if advice:
            text.append(f"\n{advice}", style)
        grid.add_row(Text(finding.level, style), Text(finding.name, "bold"), text)
        console.print(grid)
        return
    console.print(Text(f"{finding.level:{_LEVEL}} {finding.name}: {finding.found}"), soft_wrap=True)
    if advice:
        console.print(Text(f"{'':{_LEVEL}} {advice}"), soft_wrap=True)


def _sum_up(console: Console, levels: Counter[Level]) -> None:
    bad: tuple[Level, ...] = ("failure", "warning")
    seen = [level for level in bad if levels[level]]
    counts = [f"{levels[level]} {level}{'s' if levels[level] > 1 else ''}" for level in seen]
    style = _STYLES[seen[0] if seen else "ok"]
    console.print(Text(", ".join(counts) or "all is well", style))


def _as_json(findings: Sequence[Finding]) -> str:
    facts = {
        "failures": sum(finding.level == "failure" for finding in findings),
        "warnings": sum(finding.level == "warning" for finding in findings),
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }
    return json.dumps(facts, indent=2) + "\n"
