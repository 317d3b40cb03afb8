"""Programs in forks of a server are what they are in an interpreter of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from warm_python import warm_python

SHOW = """
import json, os, sys
print(json.dumps({
    "name": __name__, "arguments": sys.argv, "folder": os.getcwd(), "path": sys.path,
    "variables": dict(os.environ), "input": sys.stdin.read(), "main": "SHOW" in dir(),
    "same": vars(sys.modules["__main__"]) is globals(),
    "spec": getattr(__spec__, "name", None),
}))
print("noise", file=sys.stderr)
"""


@pytest.mark.parametrize("kind", ["-c", "-m", "file"])
def test_it_finds_what_it_would_find(kind: str, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    for place in "shown.py", "scripts/show.py":
        (tmp_path / place).write_text(SHOW)
    program = {"-c": ["-c", SHOW], "-m": ["-m", "shown"], "file": ["scripts/show.py"]}[kind]
    variables = {**os.environ, "PYTHONPATH": "/a:/b", "SOME": "thing"}
    variables.pop("LC_CTYPE", None)  # which an interpreter may set by itself
    found = [
        subprocess.run(
            [*python, *program, "one", "-x", "two words"],
            input="line\n",
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=variables,
            check=True,
        )
        for python in ([sys.executable], warm_python())
    ]
    assert [done.stderr for done in found] == ["noise\n", "noise\n"]
    own, forked = (json.loads(done.stdout) for done in found)
    if kind == "file":  # runpy keeps the name of what it ran in
        assert forked.pop("same") is not None
        own.pop("same")
    assert forked == own


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("1/0", 1),
        ("import os; os._exit(3)", 3),
        ("import os; os.kill(os.getpid(), 9)", -9),
        ("import os; os.abort()", -signal.SIGABRT),
    ],
)
def test_it_ends_as_it_would(code: str, expected: int) -> None:
    last = "import atexit; atexit.register(print, 'the end'); "
    for python in [sys.executable], warm_python():
        done = subprocess.run(
            [*python, "-c", last + code], capture_output=True, text=True, check=False
        )
        assert done.returncode == expected
        assert ("the end" in done.stdout) == (expected in (0, 7, 1))
        assert ("ZeroDivisionError" in done.stderr) == (expected == 1)


def test_it_is_killed_with_its_client(tmp_path: Path) -> None:
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(100)"
    client = subprocess.Popen([*warm_python(), "-c", code], cwd=tmp_path)
    written = tmp_path / "pid"
    end = time.monotonic() + 20
    while not (written.exists() and written.read_text()):
        assert time.monotonic() < end
        time.sleep(0.01)
    program = Path("/proc", written.read_text())
    assert program.exists()
    client.kill()
    client.wait()
    while program.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_server_ends_with_who_started_it(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).with_name("warm_python.py"), tmp_path)
    code = "from warm_python import warm_python; print(warm_python()[-2])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    place = Path(done.stdout.strip())
    assert place.name == "socket"
    assert not place.parent.exists()
    end = time.monotonic() + 20
    while any(str(place) in line for line in _command_lines()):
        assert time.monotonic() < end
        time.sleep(0.01)


def _command_lines() -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_text(errors="replace"))
        except OSError:  # it ended
            continue
    return found
