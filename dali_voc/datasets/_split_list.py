"""Text files that list a split: one entry a line."""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._layout import there_are
from dali_voc.errors import DatasetError

__all__ = ["read_split_list"]


def read_split_list(path: Path, *, entries: str, others: tuple[str, ...] = ()) -> list[str]:
    """Return the lines of `SPLIT.txt` without blanks and tabs around them, empty ones left out.

    Args:
        path: the file; others beside it are lists of other splits.
        entries: what the lines are, for errors: "ids".
        others: how names of files begin that list no split.

    Raises:
        DatasetError: the file is not there, cannot be read, or lists nothing.
    """
    split = path.stem
    try:
        # names may be any bytes; editors on Windows put a mark at the beginning
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        known = sorted(
            p.stem for p in path.parent.glob("*.txt") if not p.name.lower().startswith(others)
        )
        raise DatasetError(
            f"{path}: no such file, expected the list of split '{split}'; {there_are(split, known)}"
        ) from None
    except OSError as e:
        reason = f"cannot be read as a list of {entries} ({e.strerror})"
        raise DatasetError(f"{path}: {reason}") from None
    # names may have all but a line's end in them, whatever Unicode calls a line or a space
    lines = [line for line in (line.strip(" \t\r") for line in text.split("\n")) if line]
    if not lines:
        raise DatasetError(f"{path}: the list of split '{split}' is empty, expected {entries}")
    return lines
