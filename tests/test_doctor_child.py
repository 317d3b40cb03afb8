"""Probes that crash, hang, fail or babble."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dali_voc.doctoring._child import Outcome, run_probe


@pytest.fixture
def write_probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(tmp_path)

    def write(body: str) -> str:
        code = "import ctypes, os, sys, time\nfrom dali_voc import SampleError\n"
        code += f"def probe(request, report):\n    {body}\n"
        (tmp_path / "some_probe.py").write_text(code)
        return "some_probe"

    return write


@pytest.mark.parametrize(
    ("body", "facts", "trouble"),
    [
        ("report(a=request['x'], b=[1]); report(a='later')", {"a": "later", "b": [1]}, None),
        ("print('chatter', flush=True); report(a=1); os.write(1, b'more')", {"a": 1}, None),
        (
            "report(a=1, stage='falling'); ctypes.string_at(0)",
            {"a": 1},
            "falling: it was ended by SIGSEGV",
        ),
        ("report(a=1); os.abort()", {"a": 1}, "it was ended by SIGABRT"),
        (
            "print('boom', file=sys.stderr, flush=True); os._exit(3)",
            {},
            "it ended with exit code 3; its last words: boom",
        ),
        (
            "report(stage='at work'); raise ValueError('no\\nway')",
            {},
            "at work: ValueError: no",
        ),
        (
            "report(stage='at work'); raise SampleError('a.png', 'the file is empty')",
            {},
            "a.png: the file is empty",
        ),
        (
            "import nothing_of_that_name",
            {},
            "ModuleNotFoundError: No module named",
        ),
    ],
)
def test_what_becomes_of_a_probe(
    write_probe, body: str, facts: object, trouble: str | None
) -> None:
    outcome = run_probe(write_probe(body), {"x": 5}, limit=60)
    assert outcome.facts == facts
    if trouble is None:
        assert outcome.trouble is None
    else:
        assert outcome.trouble is not None
        assert outcome.trouble.startswith(trouble)


def test_one_that_hangs_is_killed(write_probe) -> None:
    """Also one that does not mind being asked to end; what it has said is known."""
    body = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "report(me=os.getpid(), stage='asleep'); time.sleep(600)"
    )
    for limit in 6, 60:  # on a slow machine it takes longer until it sleeps
        outcome = run_probe(write_probe(body), {}, limit=limit)
        if outcome.facts:
            break
    assert outcome.trouble == f"asleep: it did not end within {limit} s (--limit)"
    assert not Path(f"/proc/{outcome.facts['me']}").exists()


def test_one_that_hangs_ends_with_its_doctor(write_probe, tmp_path: Path) -> None:
    place = tmp_path / "pid"
    name = write_probe(
        f"open({str(place)!r} + '.new', 'w').write(str(os.getpid())); "
        f"os.rename({str(place)!r} + '.new', {str(place)!r}); time.sleep(600)"
    )
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
    code += "from dali_voc.doctoring._child import run_probe\n"
    doctor = subprocess.Popen([sys.executable, "-c", f"{code}run_probe({name!r}, {{}}, limit=600)"])
    deadline = time.monotonic() + 120
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    doctor.kill()
    doctor.wait()
    child = int(place.read_text())
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def test_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    expected = Outcome(trouble="no process can be started: No such file or directory")
    assert run_probe("some_probe", {}, limit=5) == expected


def test_modules_of_the_working_directory_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "json.py", "torch.py", "nvidia.py":
        (tmp_path / name).write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    outcome = run_probe("dali_voc.probing.driver", {}, limit=60)
    assert outcome.trouble is None
