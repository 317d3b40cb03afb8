"""The tests marked `gpu`, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from benchmarks.gpu.sections._section import Note, SectionError
from benchmarks.gpu.settings import REPOSITORY, Settings

__all__ = ["count_outcomes", "run"]

_LIMIT = 500  # seconds


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Run them, or in a dry run only collect them."""
    # the others need not be importable: a lent machine lacks some of what they use
    files = [
        f"tests/{path.name}"
        for path in sorted((REPOSITORY / "tests").glob("test_*.py"))
        if "pytest.mark.gpu" in path.read_text()
    ]
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-q", "-p", "no:cacheprovider", *files]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command += ["--collect-only"] if settings.dry_run else [f"--junitxml={report}"]
        try:
            done = subprocess.run(
                command,
                cwd=REPOSITORY,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SectionError(f"the tests took longer than {_LIMIT} s") from None
        found: dict[str, Any] = {"command": " ".join(command[1:-1]), "exit_code": done.returncode}
        if settings.dry_run:
            names = [line for line in done.stdout.splitlines() if "::" in line]
            found |= {"collected": len(names), "note": "dry run: collected, not run"}
        elif report.is_file():
            found |= count_outcomes(report)
    bad = found.get("failed", 0) + found.get("errors", 0)
    if done.returncode or bad:
        found["output_end"] = done.stdout[-4000:]
        note(found)
        lines = done.stdout.strip().splitlines() or ["no output"]
        raise SectionError(f"pytest ended with code {done.returncode}: {lines[-1]}")
    if not settings.dry_run and not found.get("passed"):
        note(found)
        raise SectionError("no test passed, expected those marked gpu to run")
    return found


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
