"""Patterns that differ in the ends of file names alone: `{split}/*.{jpg,png}`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dali_voc.datasets._path_list import PathList
from dali_voc.datasets._pattern import Pattern
from dali_voc.errors import DatasetError

__all__ = ["Patterns"]

_CHOICE = re.compile(r"\{([^{}]*,[^{}]*)\}")


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """What a pattern in the configuration stands for.

    Attributes:
        text: as it stands there, but with the split filled in.
        each: one for each ending, alike up to their last wildcard.
    """

    text: str
    each: tuple[Pattern, ...]

    @classmethod
    def parse(cls, pattern: str, split: str, *, key: str) -> Patterns:
        """Check a pattern that stands in the configuration under `key`, and fill in the split.

        Raises:
            DatasetError: it is none.
        """
        choices = list(_CHOICE.finditer(pattern))
        if not choices:
            one = Pattern.parse(pattern, split, key=key)
            return cls(text=one.text, each=(one,))
        choice = choices[0]
        if len(choices) > 1 or "*" in pattern[choice.start() :]:
            raise DatasetError(
                f"dataset.{key}: found {pattern!r}, expected {choice[0]} once and behind the last "
                "wildcard, as in '{split}/**/*.{jpg,png}'"
            )
        ends = dict.fromkeys(end.strip() for end in choice[1].split(","))
        each = tuple(
            Pattern.parse(pattern[: choice.start()] + end + pattern[choice.end() :], split, key=key)
            for end in ends
        )
        for one, other in itertools.permutations(each, 2):
            if one.suffix.endswith(other.suffix):
                raise DatasetError(
                    f"dataset.{key}: found {pattern!r}, expected endings of which none ends as "
                    f"another, found '{one.suffix}' and '{other.suffix}'"
                )
        return cls(text=pattern.replace("{split}", split), each=each)

    @property
    def middle(self) -> str:
        """What stands from the first wildcard to the last."""
        return self.each[0].middle

    @property
    def wildcards(self) -> int:
        """How many of them there are."""
        return self.each[0].wildcards

    @property
    def suffixes(self) -> tuple[str, ...]:
        """What comes after the last wildcard, of each."""
        return tuple(pattern.suffix for pattern in self.each)

    def groups(self, stem: str) -> tuple[str, ...] | None:
        """See `Pattern.groups`."""
        return self.each[0].groups(stem)

    def fill(self, groups: tuple[str, ...]) -> str:
        """See `Pattern.fill`."""
        return self.each[0].fill(groups)

    def file(self, stem: str, suffix: str | None = None) -> str:
        """Return a file's path below the root; by default with all endings that it may have."""
        begin = f"{self.each[0].prefix}{stem}"
        if suffix is None:
            suffix = self.text[len(self.each[0].prefix) + len(self.middle) :]
        return begin + suffix

    def stems(self, root: Path, other: Patterns | None, listed: set[str]) -> Iterator[str]:
        """Yield the stems of the files that are there, in no order.

        Args:
            root: the folder that the patterns begin in.
            other: patterns of other files. What one of them matches, too, is left out if it is
                the longer one, as `*_L.png` is beside `*.png`.
            listed: takes up the folders that were looked into.

        Raises:
            DatasetError: a folder cannot be listed.
        """
        for pattern in self.each:
            yield from _own_stems(pattern, root, other, listed, always=False)

    def find(
        self, root: Path, other: Patterns | None, listed: set[str], *, always: bool = False
    ) -> dict[str, str]:
        """Return the same stems, each with the end of its file's name.

        Args:
            root: as for `stems`, and `other` and `listed`, too.
            other: of other files.
            listed: takes up folders.
            always: what others match is left out, however long they are.

        Raises:
            DatasetError: as for `stems`, or two files differ in their ends alone.
        """
        found: dict[str, str] = {}
        for pattern in self.each:
            end = pattern.suffix
            for stem in _own_stems(pattern, root, other, listed, always=always):
                if stem in found:
                    twins = " and ".join(self.file(stem, each) for each in (found[stem], end))
                    raise DatasetError(f"{root}: found {twins}, expected one of {self.text}")
                found[stem] = end
        return found

    def of_other_endings(self, root: Path) -> Iterator[str]:
        """Yield files that would be found if their names ended otherwise, below the root."""
        for begin in {pattern.text.rpartition(".")[0] for pattern in self.each}:
            if begin.endswith("*"):
                other = Pattern(f"{begin}.*")
                yield from (f"{other.prefix}{stem}" for stem in other.stems(root))

    def paths(self, root: Path, stems: list[str], endings: dict[str, str]) -> PathList:
        """Return the files of some stems; with several endings, these are a part of their names.

        Args:
            root: the folder that the patterns begin in.
            stems: of the files.
            endings: of those that are there, see `find`; others have the first.
        """
        prefix, (first, *more) = f"{root}/{self.each[0].prefix}", self.suffixes
        if not more:
            return PathList(stems, prefix=prefix, suffix=first)
        return PathList((stem + endings.get(stem, first) for stem in stems), prefix=prefix)


def _own_stems(
    pattern: Pattern, root: Path, other: Patterns | None, listed: set[str], *, always: bool
) -> Iterator[str]:
    others = other.each if other else ()
    longer = [rival for rival in others if always or len(pattern.text) < len(rival.text)]
    before, after = pattern.prefix, pattern.suffix
    for stem in pattern.stems(root, listed=listed):
        if not any(rival.matches(f"{before}{stem}{after}") for rival in longer):
            yield stem
