"""Pairs of two folders whose files have the same names but for their ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dali_voc.datasets._layout import list_folders, list_stems, there_are
from dali_voc.datasets._path_list import PathList
from dali_voc.datasets._unpaired import unpaired
from dali_voc.errors import DatasetError

__all__ = ["Side", "find_by_stem", "split_folder"]


@dataclass(frozen=True, kw_only=True)
class Side:
    """The images, or the labels.

    Attributes:
        folder: where they are.
        suffix: what follows the name that a pair has in common.
    """

    folder: Path
    suffix: str


def split_folder(parent: Path, split: str, *, also: dict[str, str]) -> str:
    """Return the name of a split's folder.

    Args:
        parent: where the folders of the splits are.
        split: that is asked for.
        also: other names of splits, and the folders that they stand for.

    Raises:
        DatasetError: there is none; says which splits there are.
    """
    there = list_folders(parent)
    name = next((name for name in (also.get(split, split), split) if name in there), None)
    if name is None:
        raise DatasetError(f"{parent}: found no split '{split}', {there_are(split, there)}")
    return name


def find_by_stem(
    images: Side, labels: Side, *, below: Sequence[str] = ("",), must_exist: bool
) -> tuple[PathList, PathList]:
    """Return the pairs of two folders, sorted by name; each folder is listed once.

    Args:
        images: the images' folder.
        labels: the labels'.
        below: their sub-folders, in order, each with a slash behind it.
        must_exist: check that there is a label for each image, and the other way round; else it
            turns out when labels are read.

    Raises:
        DatasetError: there are no images, or some have no partner.
    """
    stems = [
        name
        for sub in below
        for name in sorted(
            f"{sub}{stem}" for stem in list_stems(images.folder / sub, images.suffix)
        )
    ]
    if not stems:
        where = " in its sub-folders" if below != ("",) else ""
        raise DatasetError(f"{images.folder}: found no images, expected *{images.suffix}{where}")
    if must_exist:
        _check_pairs(stems, images, labels, below)
    paths = PathList(stems, prefix=f"{images.folder}/", suffix=images.suffix)
    return paths, paths.between(f"{labels.folder}/", labels.suffix)


def _check_pairs(stems: list[str], images: Side, labels: Side, below: Sequence[str]) -> None:
    # sub-folders of labels alone count too
    more = () if below == ("",) or not labels.folder.is_dir() else list_folders(labels.folder)
    there = (
        f"{sub}{stem}"
        for sub in dict.fromkeys([*below, *(f"{name}/" for name in more)])
        for stem in list_stems(labels.folder / sub, labels.suffix)
    )
    found = unpaired(stems, there, image=f"*{images.suffix}", label=f"*{labels.suffix}")
    if found:
        raise DatasetError(
            f"{labels.folder}: expected a label for each image of {images.folder}, found {found}"
        )
