"""The exceptions that this package raises: one sentence each, naming the file or the key."""

from __future__ import annotations

import re

__all__ = [
    "ConfigError",
    "DaliVocError",
    "DatasetError",
    "DownloadError",
    "LoaderError",
    "PluginError",
    "SampleError",
    "StateError",
    "cannot_start",
    "cause_from_dali",
    "first_line",
    "printable",
    "reason_from_dali",
    "sentence_from_dali",
]


class DaliVocError(Exception):
    """Base of all exceptions of this package; its text is fit to show to a user as it is."""

    # not in __init__: DALI raises only exceptions without one as what they are
    def __str__(self) -> str:
        return printable(super().__str__())


class ConfigError(DaliVocError):
    """The configuration has an unknown key, a wrong type or an impossible value."""


class DatasetError(DaliVocError):
    """The data set cannot be used as a whole: no root, no list, a file without its partner."""


class DownloadError(DaliVocError):
    """A data set could not be fetched or unpacked."""


class SampleError(DaliVocError):
    """One file of the data set cannot be used.

    Attributes:
        path: the file.
        reason: what was found and what was expected.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[SampleError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


class StateError(DaliVocError):
    """A state cannot be loaded: it is damaged, or belongs to a run that differs."""


class PluginError(DaliVocError):
    """The compiled operators are missing or do not belong to the installed DALI."""


class LoaderError(DaliVocError):
    """The loader was used in a way that it does not allow, or failed for no fault of a file."""


# as operator_error.h marks them
_OF_A_SAMPLE = re.compile(r"<dali_voc sample (\d+)>(.*?)</dali_voc>", re.DOTALL)
_OURS = re.compile(r"<dali_voc[^>]*>(.*?)</dali_voc>", re.DOTALL)


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
    return LoaderError(f"DALI cannot start its pipeline: {reason_from_dali(error)}")


def printable(text: str) -> str:
    """Return text that any UTF-8 stream takes, whatever bytes a file's name has."""
    return text.encode(errors="backslashreplace").decode()
