"""Python programs in processes of their own that find PyTorch and DALI imported, which takes 2 s.

`warm_python()` stands where `[sys.executable]` would: a server that has imported them forks for
each program, which ends as an interpreter does. What hangs on how a process starts (imports and
their order, variables that libraries read, limits, signals) is for `sys.executable` itself.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import types
from pathlib import Path

__all__ = ["warm_python"]

# Not ours: how it behaves in a child of a process that has imported it is tested elsewhere.
_IMPORTED = "nvidia.dali.plugin.pytorch", "PIL.Image", "pydantic", "rich.console", "typer", "yaml"


@functools.cache
def warm_python() -> list[str]:
    """Return the beginning of a command; `-c CODE`, `-m MODULE` or a file is to follow."""
    if importlib.import_module("torch").cuda.is_available():  # forks could not use it
        return [sys.executable]
    folder = tempfile.TemporaryDirectory(prefix="warm-python-")
    path = str(Path(folder.name, "socket"))
    server = subprocess.Popen(
        [sys.executable, __file__, path, "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # threads would be lost in forks
    )
    assert server.stdin
    assert server.stdout
    atexit.register(folder.cleanup)
    atexit.register(server.stdin.close)  # it ends then, and also if this process is killed
    assert server.stdout.readline() == b"ready\n"
    return [sys.executable, "-I", "-S", __file__, path, "ask"]


def _ask(path: str, arguments: list[str]) -> int:
    """Have a program run with what this process was started with, and return its exit code."""
    request = {"arguments": arguments, "folder": os.getcwd(), "variables": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        socket.send_fds(server, [b" "], [0, 1, 2])
        server.sendall(json.dumps(request).encode() + b"\n")
        return int(server.makefile().readline())


def _serve(path: str) -> list[str]:
    """Return, in a child for each program, its arguments."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal's, pytest hears as well
    for name in _IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # else a child copies all of it at its end
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        os.write(1, b"ready\n")
        while True:
            ready, _, _ = select.select([listener, 0], [], [])
            if 0 in ready:
                os._exit(0)
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            while _bury():
                pass
    return _become(connection)


def _bury() -> bool:
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def _become(connection: socket.socket) -> list[str]:
    """Return in a child that has the client's files, folder and variables, and report its end."""
    _, files, _, _ = socket.recv_fds(connection, 1, 3)
    request = json.loads(connection.makefile().readline())
    pid = os.fork()
    if pid:
        end = os.pidfd_open(pid)
        ready, _, _ = select.select([end, connection], [], [])
        if end not in ready:  # but the client was killed
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if connection not in ready:
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    connection.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for to, file in enumerate(files):
        os.dup2(file, to)
        os.close(file)
    os.chdir(request["folder"])
    before = _python_path()
    os.environ.clear()
    os.environ.update(request["variables"])
    sys.path[:] = _python_path() + [path for path in sys.path[1:] if path not in before]
    return list(request["arguments"])


def _python_path() -> list[str]:
    return [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]


def _run(arguments: list[str]) -> None:
    """Run a program as an interpreter does that was given these arguments."""
    kind, *rest = arguments
    if kind == "-c":
        sys.argv[:] = [kind, *rest[1:]]
        sys.path.insert(0, "")
        main = sys.modules["__main__"] = types.ModuleType("__main__")
        exec(compile(rest[0], "<string>", "exec"), vars(main))
    elif kind == "-m":
        sys.argv[:] = rest
        sys.path.insert(0, os.getcwd())
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv[:] = arguments
        sys.path.insert(0, str(Path(kind).resolve().parent))
        runpy.run_path(kind, run_name="__main__")


if __name__ == "__main__":
    _, place, role, *words = sys.argv
    if role == "serve":
        _run(_serve(place))
    else:
        code = _ask(place, words)
        if code < 0:
            with contextlib.suppress(OSError):  # SIGKILL needs none
                signal.signal(-code, signal.SIG_DFL)
            os.kill(os.getpid(), -code)
        sys.exit(code)
