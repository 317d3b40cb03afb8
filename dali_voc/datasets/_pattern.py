"""Patterns of paths below a root: `{split}/**/*_L.png`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dali_voc.errors import DatasetError

__all__ = ["Pattern"]

_ANY_DEPTH = "**"


@dataclass(frozen=True)
class Pattern:
    """A pattern, its split filled in.

    `*` is any text of a file's or folder's name, `**` any number of folders; at most one `**`.

    Attributes:
        text: the pattern, with slashes.
    """

    text: str

    @classmethod
    def parse(cls, pattern: str, split: str, *, key: str) -> Pattern:
        """Check a pattern that stands in the configuration under `key`, and fill in the split.

        Raises:
            DatasetError: it is none.
        """
        other = set(re.findall(r"\{[^}]*\}", pattern)) - {"{split}"}
        parts = pattern.split("/")
        reasons = (
            (bool(other), f"{next(iter(other), '')} is not known"),
            (pattern.startswith("/"), "it begins with a slash"),
            (".." in parts, "it leads out of the root"),
            ("*" not in pattern, "it has no * in it"),
            (parts.count(_ANY_DEPTH) > 1, "it has more than one **"),
            (any(_ANY_DEPTH in p and p != _ANY_DEPTH for p in parts), "its ** is not a whole name"),
            (parts[-1] in ("", _ANY_DEPTH), "it does not end in a file's name"),
        )
        bad_split = "*" in split or {"", ".."} & set(split.split("/"))
        if bad_split and "{split}" in pattern:
            raise DatasetError(
                f"split: found {split!r}, expected a name without *, .. and empty parts"
            )
        for wrong, reason in reasons:
            if wrong:
                raise DatasetError(
                    f"dataset.{key}: found {pattern!r}, expected a pattern below the root such as "
                    f"'{{split}}/**/*.png' ({reason})"
                )
        return cls(pattern.replace("{split}", split))

    @property
    def prefix(self) -> str:
        """What comes before the first wildcard."""
        return self.text[: self.text.index("*")]

    @property
    def middle(self) -> str:
        """What stands from the first wildcard to the last."""
        return self.text[self.text.index("*") : self.text.rindex("*") + 1]

    @property
    def suffix(self) -> str:
        """What comes after the last wildcard."""
        return self.text[self.text.rindex("*") + 1 :]

    @property
    def wildcards(self) -> int:
        """How many of them there are."""
        return len(re.findall(r"\*+", self.text))

    def stems(self, root: Path, *, listed: set[str] | None = None) -> Iterator[str]:
        """Yield what files have in the place of `middle`, in no order.

        Hidden files and folders are left out. Folders that are not there have no files.

        Args:
            root: the folder that the pattern begins in.
            listed: takes up the folders that were looked into.

        Raises:
            DatasetError: a folder cannot be listed.
        """
        parts = tuple(
            part if "*" not in part or part == _ANY_DEPTH else _regex(part)
            for part in self.text.split("/")
        )
        before, after = len(self.prefix), len(self.suffix)
        for path in _walk(root, "", parts, (), set() if listed is None else listed):
            yield path[before : len(path) - after]

    def groups(self, stem: str) -> tuple[str, ...] | None:
        """Return what each wildcard stands for in a stem; None: it is of another pattern."""
        found = self._middle_regex.fullmatch(stem)
        return None if found is None else tuple((text or "").rstrip("/") for text in found.groups())

    def fill(self, groups: tuple[str, ...]) -> str:
        """Return the stem whose wildcards stand for these texts."""
        texts = iter(groups)

        def one(found: re.Match[str]) -> str:
            text = next(texts)
            deep = found[0].startswith(_ANY_DEPTH)
            return f"{text}/" if deep and text else text

        return re.sub(r"\*\*/|\*", one, self.middle)

    def matches(self, path: str) -> bool:
        """Return whether a path below the root is one of these."""
        before, after = self.prefix, self.suffix
        if not (path.startswith(before) and path.endswith(after)):
            return False
        end = len(path) - len(after)
        return end >= len(before) and self.groups(path[len(before) : end]) is not None

    @property
    def _middle_regex(self) -> re.Pattern[str]:
        return _regex(self.middle)


def _regex(pattern: str) -> re.Pattern[str]:
    """Compile a pattern; the module `re` keeps what it has compiled."""
    parts = re.split(r"(\*\*/|\*)", pattern)
    texts = {"**/": "((?:.*/)?)", "*": "([^/]*)"}
    return re.compile("".join(texts.get(part, re.escape(part)) for part in parts), re.DOTALL)


_Part = str | re.Pattern[str]


def _walk(
    root: Path,
    below: str,
    parts: tuple[_Part, ...],
    above: tuple[tuple[int, int], ...],
    listed: set[str],
) -> Iterator[str]:
    """Yield the paths of files; `above` are the folders that `**` has led through."""
    part, rest = parts[0], parts[1:]
    folder = root / below
    if part == _ANY_DEPTH:
        yield from _walk(root, below, rest, (), listed)
        try:
            status = os.stat(folder)
        except OSError:
            return  # that was noticed in listing it
        here = status.st_dev, status.st_ino
        if here in above:  # a link to a folder that it is in
            return
        listed.add(str(folder))
        for name in _names(folder, re.compile(".*", re.DOTALL), folders=True):
            yield from _walk(root, f"{below}{name}/", parts, (*above, here), listed)
    elif isinstance(part, str):
        if rest:
            yield from _walk(root, f"{below}{part}/", rest, (), listed)
            return
        listed.add(str(folder))
        if (folder / part).is_file():
            yield f"{below}{part}"
    else:
        listed.add(str(folder))
        for name in _names(folder, part, folders=bool(rest)):
            if rest:
                yield from _walk(root, f"{below}{name}/", rest, (), listed)
            else:
                yield f"{below}{name}"


def _names(folder: Path, regex: re.Pattern[str], *, folders: bool) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith(".") or not regex.fullmatch(name):
                    continue
                if entry.is_dir() if folders else entry.is_file():
                    yield name
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as e:
        raise DatasetError(f"{folder}: cannot be listed ({e.strerror})") from None
