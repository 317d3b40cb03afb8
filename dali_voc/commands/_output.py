"""Where commands print and write what they found."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from dali_voc._files import write_text
from dali_voc.commands._writable import check_places
from dali_voc.errors import ConfigError, printable

__all__ = ["STANDARD_OUTPUT", "Output", "open_output"]

STANDARD_OUTPUT = Path("-")


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a command says to people, and to programs.

    Attributes:
        console: for people; standard error, if standard output is for programs.
        json: the file for programs; `-` is standard output.
    """

    console: Console
    json: Path | None

    def say(self, text: str) -> None:
        """Print a line of Rich's markup; it is never broken, so that paths can be copied."""
        self.console.print(printable(text), highlight=False, soft_wrap=True)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write what was found, if it was asked for; in names, what is not UTF-8 becomes `?`.

        Raises:
            OSError: the file cannot be written.
        """
        if self.json is None:
            return
        text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
        text = text.encode(errors="replace").decode()
        if self.json == STANDARD_OUTPUT:
            sys.stdout.write(text)
        else:
            write_text(self.json, text)


def open_output(*, json: Path | None, quiet: bool, **places: Path | None) -> Output:
    """Check that results have a place, before the work.

    Args:
        json: the file for programs, `-` for standard output.
        quiet: print nothing.
        **places: other files to be written: what each is for, and where.

    Raises:
        ConfigError: two are the same, or a folder is missing, not writable, or has the name; or
            standard output is closed.
    """
    if json == STANDARD_OUTPUT and sys.stdout is None:
        raise ConfigError("standard output: found it closed, expected it open for --json -")
    check_places(**{"JSON": None if json == STANDARD_OUTPUT else json}, **places)
    return Output(console=Console(quiet=quiet, stderr=json == STANDARD_OUTPUT), json=json)
