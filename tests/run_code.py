"""Python code in a process of its own, for what happens to a whole process."""

from __future__ import annotations

import os
import subprocess
import sys

from warm_python import warm_python

__all__ = ["run_code"]


def run_code(
    code: str, *arguments: object, timeout: float = 100, warm: bool = False, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code, and return what it wrote.

    Args:
        code: the program.
        arguments: what it finds in `sys.argv[1:]`.
        timeout: seconds.
        warm: see `warm_python`.
        environment: variables, added to ours.
    """
    return subprocess.run(
        [*(warm_python() if warm else [sys.executable]), "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )
