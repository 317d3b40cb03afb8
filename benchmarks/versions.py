"""Versions of what may be installed."""

from __future__ import annotations

import importlib.metadata

__all__ = ["version_of"]


def version_of(package: str) -> str | None:
    """Return a distribution's version; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
