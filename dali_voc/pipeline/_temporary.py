"""The temporary files that DALI needs to make a graph with conditions."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile

from dali_voc.errors import LoaderError

__all__ = ["check_temporary_files", "remove_temporary_files"]

_LARGE_ENOUGH = 1 << 16
_GENERATED = "__autograph_generated_file"


def check_temporary_files() -> None:
    """Write a temporary file, and remove it.

    Raises:
        LoaderError: it cannot be written.
    """
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(_LARGE_ENOUGH))
            file.flush()
    except OSError as e:
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "/tmp")
        raise LoaderError(
            f"{folder}: no temporary file can be written ({e.strerror or e}), and DALI needs one; "
            "the environment variable TMPDIR can name another folder"
        ) from None


def remove_temporary_files() -> None:
    """Remove the modules that AutoGraph has written, which are imported by now.

    It does so itself when the interpreter ends, which one that is killed, and a worker of a
    `DataLoader`, does not.
    """
    for name, module in sys.modules.copy().items():  # others may import meanwhile
        if name.startswith(_GENERATED) and module.__file__:
            for path in module.__file__, importlib.util.cache_from_source(module.__file__):
                with contextlib.suppress(OSError):
                    os.unlink(path)
