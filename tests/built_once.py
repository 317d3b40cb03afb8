"""What tests compile, once for all processes of a run."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["FOLDER", "built_once"]

FOLDER = "DALI_VOC_BUILT"  # a variable of the environment, set by conftest.py


def built_once(name: str, build: Callable[[Path], object]) -> Path:
    """Return a folder that `build` has filled, here or in another process of this run."""
    root = Path(os.environ.get(FOLDER) or tempfile.mkdtemp(prefix="dali-voc-built-"))
    folder, part = root / name, root / f"{name}.part"
    with open(root / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            shutil.rmtree(part, ignore_errors=True)  # of one that failed
            part.mkdir()
            build(part)
            part.rename(folder)
    return folder
