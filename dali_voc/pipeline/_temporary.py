"""Whether DALI can write the temporary file that it needs to make a graph with conditions."""

from __future__ import annotations

import os
import tempfile

from dali_voc.errors import LoaderError

__all__ = ["check_temporary_files"]

_LARGE_ENOUGH = 1 << 16


def check_temporary_files() -> None:
    """Write a temporary file, and remove it.

    If AutoGraph cannot, it goes on with code that it has not converted, and fails on that.

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
