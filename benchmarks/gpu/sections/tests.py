"""The tests marked `gpu`, each file in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from benchmarks.gpu.sections._section import Note, SectionError, demand
from benchmarks.gpu.settings import REPOSITORY, Settings

__all__ = ["count_outcomes", "run"]

_MARK = re.compile(r"^(@|pytestmark = )pytest\.mark\.gpu", re.MULTILINE)
_KEPT = 4000  # characters of the beginning and of the end of what a file's tests say


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Run them, or in a dry run only collect them.

    After a kernel's fault nothing runs on a GPU in the same process.
    """
    # the others need not be importable: a lent machine lacks some of what they use
    files = [
        f"tests/{path.name}"
        for path in sorted((REPOSITORY / "tests").glob("test_*.py"), key=_turn)
        if _MARK.search(path.read_text())
    ]
    found: dict[str, Any] = {"files": {}}
    end = time.monotonic() + 0.9 * settings.limit
    for place, file in enumerate(files):
        limit = (end - time.monotonic()) / min(len(files) - place, 2)
        found["files"][file] = _run_file(file, limit=limit, dry_run=settings.dry_run)
        note(found)
    for key in ("collected",) if settings.dry_run else ("passed", "failed", "errors", "skipped"):
        found[key] = sum(outcome.get(key, 0) for outcome in found["files"].values())
    if settings.dry_run:
        found["note"] = "dry run: collected, not run"
    note(found)
    demand(found["files"])
    if not settings.dry_run and not found["passed"]:
        raise SectionError("no test passed, expected those marked gpu to run")
    return found


def _turn(path: Path) -> tuple[bool, str]:
    """Return by what files are ordered: whole loaders take longest, and may take what is left."""
    return path.stem == "test_gpu", path.name


def _run_file(file: str, *, limit: float, dry_run: bool) -> dict[str, Any]:
    """Return the outcome, with `error` where it is not as it should be."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-p", "no:cacheprovider", file]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        # names as they pass: the report is written at the end, to which a fault does not come
        command += ["--collect-only", "-q"] if dry_run else ["-v", "--tb=short"]
        command += [f"--junitxml={report}"]
        try:
            done = subprocess.run(
                command,
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            said = e.stdout or b""
            text = said.decode(errors="replace") if isinstance(said, bytes) else said
            return {"error": f"took longer than {limit:.0f} s", **_said(text)}
        found: dict[str, Any] = {"exit_code": done.returncode}
        if dry_run:
            found["collected"] = sum("::" in line for line in done.stdout.splitlines())
        elif report.is_file():
            found |= count_outcomes(report)
    if done.returncode or found.get("failed", 0) + found.get("errors", 0):
        lines = done.stdout.strip().splitlines() or ["no output"]
        found["error"] = f"pytest ended with code {done.returncode}: {lines[-1]}"
        found |= _said(done.stdout)
    return found


def _said(text: str) -> dict[str, str]:
    """Return the beginning, where the first fault is, and the end."""
    said = {"output": text[:_KEPT]}
    return said | ({"output_end": text[_KEPT:][-_KEPT:]} if len(text) > _KEPT else {})


def count_outcomes(report: Path) -> dict[str, Any]:
    """Return counts of passed, failed, errors and skipped, and names of the bad, of JUnit XML."""
    counts: dict[str, Any] = {"passed": 0, "failed": 0, "errors": 0, "skipped": 0}
    bad = []
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        name = f"{case.get('classname')}::{case.get('name')}"
        if "failure" in kinds or "error" in kinds:
            counts["failed" if "failure" in kinds else "errors"] += 1
            bad.append(name)
        else:
            counts["skipped" if "skipped" in kinds else "passed"] += 1
    return {**counts, "names_of_failed": bad}
