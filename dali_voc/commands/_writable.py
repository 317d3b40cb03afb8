"""Whether results have a place, found out before the work."""

from __future__ import annotations

import os
from pathlib import Path

from dali_voc.errors import ConfigError

__all__ = ["check_places"]


def check_places(**places: Path | None) -> None:
    """Check that files can be written.

    Args:
        **places: what each is for, and where it is to be.

    Raises:
        ConfigError: two are the same, or a folder is missing, not writable, or has the name.
    """
    seen: dict[str, str] = {}
    for what, path in places.items():
        if path is None:
            continue
        real = os.path.realpath(path)
        if real in seen:
            raise ConfigError(f"{path}: found for both {seen[real]} and {what}, expected two files")
        seen[real] = what
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: found no folder {path.parent}, expected one to write into")
        if path.is_dir():
            raise ConfigError(f"{path}: found a folder, expected a file's name for the {what}")
        if path.exists() and not path.is_file():  # a pipe or a device, which is written to
            if not os.access(path, os.W_OK):
                raise ConfigError(f"{path}: not writable, expected a place for the {what}")
        elif not os.access(path.parent, os.W_OK | os.X_OK):
            raise ConfigError(f"{path}: folder {path.parent} is not writable, expected one that is")
