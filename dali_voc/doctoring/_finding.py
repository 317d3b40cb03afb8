"""What a check says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from typing_extensions import Self

__all__ = ["Finding", "Level"]

Level = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One line of the doctor's report.

    Attributes:
        name: what was looked at.
        level: whether it is as it should be, whether it costs something, or whether it prevents
            batches from being made.
        found: what was found.
        advice: what to do; empty where it is ok.
    """

    name: str
    level: Level
    found: str
    advice: str = ""

    @classmethod
    def ok(cls, name: str, found: str) -> Self:
        """Return that all is well."""
        return cls(name=name, level="ok", found=found)

    @classmethod
    def warning(cls, name: str, found: str, *, advice: str) -> Self:
        """Return that something costs speed or may fail later."""
        return cls(name=name, level="warning", found=found, advice=advice)

    @classmethod
    def failure(cls, name: str, found: str, *, advice: str) -> Self:
        """Return that batches cannot be made."""
        return cls(name=name, level="failure", found=found, advice=advice)
