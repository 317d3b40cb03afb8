"""What all sections share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["Note", "SectionError", "demand"]

# Takes what has been found so far, so that it is not lost if the section is cut off.
Note = Callable[[Mapping[str, Any]], None]


class SectionError(Exception):
    """A section did not come to its end, or found what must not be; a sentence."""


def demand(found: Mapping[str, Any]) -> None:
    """Demand that nobody dropped out.

    Raises:
        SectionError: names those who did, with their errors.
    """
    errors = list(_errors(found, ()))
    if errors:
        raise SectionError("; ".join(errors))


def _errors(found: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    for key, value in found.items():
        if key == "error":
            yield f"{' '.join(path)}: {value}"
        elif isinstance(value, Mapping):
            yield from _errors(value, (*path, str(key)))
