"""The end of a run as text: what became of the sections, and the goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["print_report"]


def print_report(result: Mapping[str, Any]) -> None:
    """Print two tables."""
    console = Console(width=110)
    machine = result["machine"]
    if result["dry_run"]:
        console.print("DRY RUN on a CPU: these figures say nothing about a GPU", highlight=False)
    where = machine["gpu"] if not result["dry_run"] else machine["processor"]
    console.print(
        f"on {where}, {machine['cores']} cores; {result['data']['kind']}", highlight=False
    )
    console.print(_sections(result["sections"]))
    console.print(_goals(result["goals"]))


def _sections(sections: Mapping[str, Any]) -> Table:
    table = Table("section", "status", "seconds", "why")
    for name, outcome in sections.items():
        why = outcome.get("error") or outcome.get("reason") or ""
        table.add_row(name, outcome["status"], str(outcome.get("seconds", "")), why)
    return table


def _goals(goals: list[Mapping[str, Any]]) -> Table:
    table = Table("goal (one H200, 16 cores)", "asked", "found", "verdict")
    for row in goals:
        figure = row["figure"]
        found = "" if figure is None else f"{figure:,.4g}"
        table.add_row(row["goal"], row["asked"], found, row["verdict"])
    return table
