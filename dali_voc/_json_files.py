"""Files of JSON that a stranger may have written: read, or refused in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dali_voc.errors import DatasetError

__all__ = ["first_problem", "read_json"]


def read_json(path: Path, *, expected: str) -> Any:
    """Return what stands in a file.

    Args:
        path: the file.
        expected: what errors say that it should be.

    Raises:
        DatasetError: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected {expected}") from None
    except (ValueError, RecursionError):
        raise DatasetError(f"{path}: not JSON, expected {expected}") from None


def first_problem(error: ValidationError) -> str:
    """Return the first of what pydantic found wrong, with its key, in one clause."""
    detail = error.errors()[0]
    key = ".".join(map(str, detail["loc"]))
    text = detail["msg"].removeprefix("Value error, ")
    return f"{key}: {text}" if key else text
