"""Runs a section in a process of its own, whatever becomes of it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.gpu.rounds import in_a_sentence
from benchmarks.gpu.sections import SectionError, run_section
from benchmarks.gpu.settings import Settings

__all__ = ["Outcome", "run_apart"]

# "status": running, done, failed or left out; "error" or "reason"; "result"; "seconds"
Outcome = dict[str, Any]
Section = Callable[[str, Settings, Callable[[Mapping[str, Any]], None]], dict[str, Any]]


def run_apart(
    name: str,
    settings: Settings,
    *,
    limit: float,
    note: Callable[[Outcome], None],
    section: Section = run_section,
) -> Outcome:
    """Run a section in a fresh process, which is ended with all its children.

    Args:
        name: of the section.
        settings: what it is told.
        limit: seconds that it may take.
        note: takes what the section has found so far, each time there is more.
        section: what runs in the process; for tests.
    """
    begin = time.monotonic()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    # not daemonic: DataLoaders have children of their own
    process = context.Process(target=_serve, args=(theirs, name, settings, section))
    process.start()
    theirs.close()
    outcome: Outcome = {"status": "running", "result": {}}
    try:
        while outcome["status"] == "running":
            left = begin + limit - time.monotonic()
            if left <= 0 or not ours.poll(left):
                outcome |= {"status": "failed", "error": f"it took longer than {limit:g} s"}
                break
            try:
                outcome |= ours.recv()
            except EOFError:
                process.join(10)
                code = process.exitcode
                outcome |= {"status": "failed", "error": f"its process died with code {code}"}
            outcome["seconds"] = round(time.monotonic() - begin, 1)
            note(outcome)
        if outcome["status"] == "done":
            process.join(10)
    finally:
        _end(process)
    outcome["seconds"] = round(time.monotonic() - begin, 1)
    return outcome


def _serve(theirs: Connection, name: str, settings: Settings, section: Section) -> None:
    os.setpgid(0, 0)

    def note(found: Mapping[str, Any]) -> None:
        theirs.send({"status": "running", "result": found})

    try:
        found = section(name, settings, note)
    except SectionError as e:
        theirs.send({"status": "failed", "error": str(e)})
    except Exception as e:  # whatever it is, the other sections run
        theirs.send({"status": "failed", "error": in_a_sentence(e)})
    else:
        reason = found.get("left_out")
        if reason:
            theirs.send({"status": "left out", "reason": reason})
        else:
            theirs.send({"status": "done", "result": found})


def _end(process: Any) -> None:
    # until the process has made its group, it is still in ours
    with contextlib.suppress(ProcessLookupError):
        if process.pid is not None and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
