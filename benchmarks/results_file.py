"""What every campaign does with its result: one JSON text, printed and, if asked, kept."""

from __future__ import annotations

import json
from pathlib import Path

from dali_voc._files import write_text
from dali_voc.benchmarking import describe_machine

__all__ = ["report"]


def report(result: dict[str, object], out: Path | None) -> None:
    """Print a result with the machine it was made on; write it to `out`, whole or not at all."""
    text = json.dumps({**result, "machine": describe_machine()}, indent=2) + "\n"
    if out:
        write_text(out, text)
    print(text)
