"""What the configuration says of a data set besides its name and its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

from dali_voc._near_match import near_match
from dali_voc.datasets._index import PairIndex
from dali_voc.errors import DatasetError
from dali_voc.labels import Color

__all__ = [
    "Dataset",
    "DatasetOptions",
    "FindPairs",
    "LabelKey",
    "SourceOptions",
    "choose_labels",
]

# What a label file may hold: a value, a colour, or what the data set calls it.
LabelKey = int | Color | str


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """Keys of section `dataset`; None or empty where they are not given.

    Attributes:
        labels: which of a data set's kinds of labels.
        classes: names of the classes, in order; or a file that lists them.
        map: class of each value, colour or class name that the labels have; None: ignored. The key
            "*" stands for everything else.
        images: pattern of the images' paths below the root.
        masks: pattern of the labels' paths.
        unlabeled: labels are not looked for, and none is missed.
        sources: data sets to be put together.
        class_file: what the names in `classes` were read from; not a key of its own.
    """

    labels: str | None = None
    classes: tuple[str, ...] | Path | None = None
    map: Mapping[LabelKey, str | None] | None = None
    images: str | None = None
    masks: str | None = None
    unlabeled: bool = False
    sources: tuple[SourceOptions, ...] = ()
    class_file: Path | None = None

    def given(self) -> tuple[str, ...]:
        """Return the keys that are there."""
        keys = [f.name for f in fields(self) if f.name != "class_file"]
        return tuple(key for key in keys if getattr(self, key) not in (None, (), False))


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """One of the data sets that are put together.

    Attributes:
        name: of the data set.
        root: its folder.
        split: of that data set; None: the split that is asked for.
        weight: how often its samples are drawn in all, next to the other sources' weights.
        options: its own keys.
    """

    name: str
    root: Path
    split: str | None = None
    weight: float | None = None
    options: DatasetOptions = DatasetOptions()


class FindPairs(Protocol):
    """Finds the pairs of a split below a root."""

    def __call__(
        self, root: Path, split: str, *, must_exist: bool, options: DatasetOptions
    ) -> PairIndex:
        """Return the pairs of a split, in the order of its list.

        Args:
            root: folder of the data set.
            split: name of the split.
            must_exist: check that every file is there; else it turns out when it is read.
            options: further keys; those that it does not take are refused before.

        Raises:
            DatasetError: says in one sentence what is missing.
        """


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set as the registry knows it; the entry points of group `dali_voc.datasets` are such.

    Attributes:
        find: finds its pairs.
        takes: keys of `DatasetOptions` that it takes itself.
        has_classes: whether it knows its classes, so that `classes` and `map` can make others of
            them; else it takes these keys itself.
        has_index: whether it keeps an index of its own, so that `dali-voc index` is of no use.
    """

    find: FindPairs
    takes: tuple[str, ...] = ()
    has_classes: bool = True
    has_index: bool = False

    def check(self, name: str, options: DatasetOptions) -> None:
        """Refuse keys that the data set does not take.

        Raises:
            DatasetError: names the first of them.
        """
        allowed = {*self.takes, *(("classes", "map") if self.has_classes else ())}
        for key in options.given():
            if key not in allowed:
                known = ", ".join(sorted(allowed)) or "no further keys"
                raise DatasetError(f"dataset.{key}: {name} does not take it, expected {known}")


def choose_labels(options: DatasetOptions | None, kinds: Sequence[str]) -> str:
    """Return the kind of labels that the options ask for, or the first of a data set's kinds.

    Raises:
        DatasetError: the data set has no such kind.
    """
    asked = options.labels if options else None
    if asked is not None and asked not in kinds:
        raise DatasetError(
            f"dataset.labels: found {asked!r}, expected one of: {', '.join(kinds)}"
            f"{near_match(asked, kinds)}"
        )
    return asked or kinds[0]
