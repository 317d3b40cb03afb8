"""What DALI's errors say: its text is long, and often names no file."""

from __future__ import annotations

import re

from dali_voc.errors import LoaderError

__all__ = [
    "cannot_start",
    "cause_from_dali",
    "first_line",
    "reason_from_dali",
    "sentence_from_dali",
]

# as operator_error.h begins them
_OF_A_SAMPLE = re.compile(r"\bdali_voc, sample (\d+): (.*)")
_NO_THREADS = re.compile(r"can't start new thread|Resource temporarily unavailable")
_OURS = re.compile(r"\bdali_voc(?:, sample \d+)?: (.*)")


def sentence_from_dali(error: BaseException) -> tuple[int, str] | None:
    """Return what one of our operators put into DALI's error, or None.

    Returns:
        The sample's place in the batch, and a sentence that begins with the file's name.
    """
    found = _OF_A_SAMPLE.search(str(error))
    return (int(found.group(1)), found.group(2)) if found else None


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text that is not empty."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def cause_from_dali(error: BaseException) -> str:
    """Return an error's text without where in Python the operator was put into DALI's graph."""
    before, _, cause = str(error).partition("encountered:")
    return cause if cause.strip() else before


def reason_from_dali(error: BaseException) -> str:
    """Return what went wrong, in one line: what an operator of ours says, else DALI's cause."""
    ours = _OURS.search(str(error))
    if ours:
        return ours.group(1)
    lines = [line.strip() for line in cause_from_dali(error).splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Critical error")]
    return (told or lines or [type(error).__name__])[0]


def cannot_start(error: BaseException) -> LoaderError:
    """Return what to raise from an error of DALI's before it has run a batch."""
    reason = reason_from_dali(error)
    advice = ""
    if _NO_THREADS.search(reason):
        advice = (
            "; if this is about threads, there may be no more of them: lower loader.threads, or "
            "raise the limit (ulimit -u, or of processes in a container)"
        )
    return LoaderError(f"DALI cannot start its pipeline: {reason}{advice}")
