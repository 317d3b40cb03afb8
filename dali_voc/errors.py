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
    "printable",
]


_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # all but tab and new line


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


def printable(text: str) -> str:
    """Return text that any UTF-8 stream takes, and that no terminal takes for commands.

    Names of files and answers of servers may have any bytes.
    """
    text = text.encode(errors="backslashreplace").decode()
    return _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", text)
