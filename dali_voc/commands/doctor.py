"""`dali-voc doctor`: what on this machine keeps batches from being made, or slows them down."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dali_voc.commands._options import JsonFile, Quiet, Settings, Split, expand_path
from dali_voc.commands._output import open_output
from dali_voc.config import load_config
from dali_voc.doctoring import Finding, Level, diagnose
from dali_voc.errors import ConfigError

__all__ = ["doctor"]

_STYLES = {"ok": "green", "warning": "yellow", "failure": "red"}
_LEVEL, _NAME = 7, 15  # columns of the longest


def doctor(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG",
            help="A YAML configuration, to try its data. Default: made-up ones.",
        ),
    ] = None,
    split: Split = "train",
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            callback=expand_path,
            readable=False,
            help="Take the speed of storage from files below this folder.",
        ),
    ] = None,
    settings: Settings = None,
    limit: Annotated[
        float, typer.Option(min=1.0, metavar="SECONDS", help="When a check counts as hung.")
    ] = 120.0,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Look at driver, GPUs, libraries, limits and storage, and make a batch on each device.

    Each line is ok, a warning or a failure, with what to do. The exit code is 1 if any is a
    failure; a machine without a GPU is none.

    Example: dali-voc doctor configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    output = open_output(json=json, quiet=quiet)
    if data is not None and not data.is_dir():
        raise ConfigError(f"{data}: found no such folder, expected one with files to read")
    overrides = settings or []
    checked = load_config(config, overrides=overrides) if config else None
    findings = []
    with output.console.status("looking"):
        for finding in diagnose(
            config=checked, overrides=overrides, split=split, folder=data, limit=limit
        ):
            findings.append(finding)
            _show(output.console, finding)
    levels = Counter(finding.level for finding in findings)
    _sum_up(output.console, levels)
    output.write(_facts(findings, levels))
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


def _facts(findings: Sequence[Finding], levels: Counter[Level]) -> dict[str, Any]:
    return {
        "failures": levels["failure"],
        "warnings": levels["warning"],
        "findings": [dataclasses.asdict(finding) for finding in findings],
    }
