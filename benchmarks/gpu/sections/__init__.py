"""The parts of the benchmark: one file each, with `run(settings, note) -> result`."""

from __future__ import annotations

import importlib
from typing import Any

from benchmarks.gpu.sections._section import Note, SectionError
from benchmarks.gpu.settings import Settings

__all__ = ["SECTIONS", "SectionError", "run_section"]

# in the order in which they run: what is short and says whether the rest is worth it comes first
SECTIONS = (
    "tests",
    "agreement",
    "bound",
    "loader",
    "peers",
    "training",
    "sweeps",
    "cache",
    "kernels",
    "png",
)


def run_section(name: str, settings: Settings, note: Note) -> dict[str, Any]:
    """Run a section here; imports what it needs.

    Raises:
        SectionError: somebody in it failed; what was found has been noted.
    """
    result: dict[str, Any] = importlib.import_module(f"{__name__}.{name}").run(settings, note)
    return result
