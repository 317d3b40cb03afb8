"""The result: one JSON file, written anew after every section, to which a later run may add."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.gpu.settings import REPOSITORY
from dali_voc._files import write_text

__all__ = ["ResultError", "check_place", "open_result", "save"]

_SAME = ("dry_run", "device", "data", "crop", "machine")


class ResultError(Exception):
    """The file is not one to write to; a sentence."""


def check_place(path: Path, *, dry_run: bool) -> None:
    """Demand a place that a result may have.

    Raises:
        ResultError: it is the dry run's, and the place that of measured results.
    """
    results = REPOSITORY / "benchmarks/results"
    if dry_run and results.resolve() in path.resolve().parents:
        raise ResultError(f"{path}: found a place for measured results, expected none by a dry run")
    if not path.resolve().parent.is_dir():
        raise ResultError(f"{path}: no such folder, expected one to write to")


def open_result(path: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what the file holds, or a new result.

    Args:
        path: the file, which need not exist.
        facts: what is the same for all sections, fit for JSON.

    Raises:
        ResultError: the file holds something else, or was made with other facts.
    """
    facts = json.loads(json.dumps(facts))
    if not path.exists():
        return {**facts, "sections": {}}
    try:
        result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        sections = result["sections"]
    except (OSError, ValueError, TypeError, KeyError):
        raise ResultError(
            f"{path}: found no result of this benchmark, expected one or no file"
        ) from None
    for key in _SAME:
        found, expected = result.get(key), facts[key]
        if found != expected:
            raise ResultError(
                f"{path}: found a result with {_difference(key, found, expected)}; expected the "
                "same machine, versions and data, or another file"
            )
    return {**facts, "sections": sections}


def save(path: Path, result: dict[str, Any]) -> None:
    """Write the file whole or not at all."""
    write_text(path, json.dumps(result, indent=2) + "\n")


def _difference(key: str, found: Any, expected: Any) -> str:
    """Return the first thing that differs, as 'KEY A instead of B'."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for part in {**expected, **found}:
            if found.get(part) != expected.get(part):
                return _difference(f"{key}.{part}", found.get(part), expected.get(part))
    return f"{key} {found!r} instead of {expected!r}"
