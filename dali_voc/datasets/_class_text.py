"""The text of a file of classes."""

from __future__ import annotations

from pathlib import Path

from dali_voc.errors import DatasetError

__all__ = ["read_class_text"]


def read_class_text(path: Path, *, expected: str) -> str:
    """Return what a file of UTF-8 says, without the mark that spreadsheets put at its beginning.

    Args:
        path: the file.
        expected: what errors say of what should stand in it.

    Raises:
        DatasetError: it cannot be read, or is no text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected classes") from None
    except ValueError:
        raise DatasetError(f"{path}: not text, expected {expected}") from None
