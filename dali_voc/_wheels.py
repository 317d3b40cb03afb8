"""Libraries in the wheels that DALI depends on."""

from __future__ import annotations

import importlib.util
from pathlib import Path

__all__ = ["library_in"]


def library_in(package: str, library: str) -> Path | None:
    """Return where a wheel has a shared library; None without the wheel or the library.

    Args:
        package: as it is imported, "nvidia.nvjpeg".
        library: below the package's folder, "lib/libnvjpeg.so.12".
    """
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:  # of what the package lies in
        return None
    for folder in (spec and spec.submodule_search_locations) or ():
        if (path := Path(folder, library)).is_file():
            return path
    return None
