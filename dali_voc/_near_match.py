"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["near_match"]


def near_match(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing where no known word is near."""
    found = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
