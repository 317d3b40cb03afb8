"""How probes tell of facts and errors."""

from __future__ import annotations

from typing import Any, Protocol

from dali_voc._dali_errors import first_line
from dali_voc.errors import DaliVocError

__all__ = ["Report", "describe_error"]


class Report(Protocol):
    """Takes facts."""

    def __call__(self, **facts: Any) -> None:
        """Tell of facts, fit for JSON; later ones of the same name replace earlier ones."""


def describe_error(error: BaseException) -> str:
    """Return an error in one line: our own as they are, others with what they are."""
    if isinstance(error, DaliVocError):
        return " ".join(str(error).split())
    return f"{type(error).__name__}: {first_line(error)}"
