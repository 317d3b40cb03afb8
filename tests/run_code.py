"""Python code in a process of its own, for what happens to a whole process."""

from __future__ import annotations

import os
import subprocess
import sys

__all__ = ["run_code"]


def run_code(
    code: str, *arguments: object, timeout: float = 100, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run code with `sys.argv[1:]`, and return what it wrote; `environment` is added to ours."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environment},
    )
