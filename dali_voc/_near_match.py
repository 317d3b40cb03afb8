"""What somebody may have meant who wrote a word that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["near_match"]

_MEANT = {"gpu": "cuda"}  # though it looks like "cpu"


def near_match(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing where no known word is near."""
    known = list(known)
    meant = _MEANT.get(str(word))
    found = [meant] if meant in known else difflib.get_close_matches(str(word), known, n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
