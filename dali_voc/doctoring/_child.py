"""Runs a probe in a process of its own: one that crashes or hangs takes nobody with it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome", "run_probe"]

_LAST_WORDS = 300  # characters of what a child wrote before it ended
_PATIENCE = 2.0  # seconds for a killed child to go; one that waits in the kernel does not

# Imports are looked for where this process looks, and not in the working directory.
_START = (
    "import sys; sys.path[:] = sys.argv[2:]; from dali_voc.probing import main; main(sys.argv[1])"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a probe.

    Attributes:
        facts: what it reported, also if it did not come to its end.
        trouble: why it did not come to its end; None if it did.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    trouble: str | None = None


def run_probe(name: str, request: Mapping[str, Any], *, limit: float) -> Outcome:
    """Run a probe in a child, see `dali_voc.probing`.

    Args:
        name: of the probe's module, in full.
        request: what it is to look at, fit for JSON.
        limit: seconds until it is killed.
    """
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", _START, name, *filter(None, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except OSError as e:
        return Outcome(trouble=f"no process can be started: {e.strerror}")
    hung = False
    try:
        try:
            out, err = child.communicate(json.dumps(request), timeout=limit)
        except subprocess.TimeoutExpired:
            hung = True
            child.kill()
            out, err = child.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired as e:
        out, err = _text(e.stdout), _text(e.stderr)
    except BaseException:
        child.kill()
        raise
    facts = _facts(out)
    trouble = facts.pop("error", None)
    if hung:
        trouble = f"it did not end within {limit:g} s (--limit)"
    elif child.returncode and trouble is None:
        trouble = _ending(child.returncode, err)
    stage = facts.pop("stage", None)
    if trouble is not None and stage:
        trouble = f"{stage}: {trouble}"
    return Outcome(facts=facts, trouble=trouble)


def _text(what: str | bytes | None) -> str:
    return what.decode(errors="replace") if isinstance(what, bytes) else what or ""


def _facts(out: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for line in out.splitlines():
        # the last line of one that was killed may be cut off
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                facts |= found
    return facts


def _ending(code: int, err: str) -> str:
    if code < 0:
        try:
            how = f"it was ended by {signal.Signals(-code).name}"
        except ValueError:
            how = f"it was ended by signal {-code}"
    else:
        how = f"it ended with exit code {code}"
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return f"{how}; its last words: {lines[-1][:_LAST_WORDS]}" if lines else how
