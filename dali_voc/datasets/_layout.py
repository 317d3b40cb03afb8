"""Folders of a data set's layout: whether they are there, and which of their files are missing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from dali_voc._near_match import near_match
from dali_voc.errors import DatasetError

__all__ = ["check_root", "list_folders", "list_stems", "missing_stems", "some_of", "there_are"]

_SHOWN = 3
_LOOKED_AT = 100  # folders below a wrong root, for a hint at the right one


def check_root(root: Path, folders: Sequence[str], *, what: str, files: Sequence[str] = ()) -> None:
    """Check that a data set's folder holds what it should.

    Args:
        root: the folder.
        folders: names that must be in it.
        what: what errors call the data set.
        files: names of files that must be in it, too.

    Raises:
        DatasetError: names what is missing, and the right root if it is near.
    """
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected the root of {what}")

    def missing(place: Path) -> list[str]:
        return [
            *(f"folder '{name}'" for name in folders if not (place / name).is_dir()),
            *(f"file '{name}'" for name in files if not (place / name).is_file()),
        ]

    lacking = missing(root)
    if not lacking:
        return
    near = (path for path in _around(root) if not missing(path))
    found = next(near, None)
    hint = f"; did you mean {found}?" if found else ""
    raise DatasetError(f"{root}: no {lacking[0]} in it, expected the root of {what}{hint}")


def list_folders(folder: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted.

    Raises:
        DatasetError: it cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    except OSError as e:
        raise DatasetError(f"{folder}: cannot be listed ({e.strerror})") from None


def list_stems(folder: Path, suffix: str) -> Iterator[str]:
    """Yield what comes before the suffix in the names of files, in no order.

    Hidden files are left out, and a folder that is not there has no files.

    Raises:
        DatasetError: the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.endswith(suffix) and not name.startswith(".") and entry.is_file():
                    yield name[: -len(suffix)]
    except FileNotFoundError:
        return
    except OSError as e:
        raise DatasetError(f"{folder}: cannot be listed ({e.strerror})") from None


def missing_stems(stems: Iterable[str], folder: Path, suffix: str) -> set[str]:
    """Return those of which there is no file.

    The folder is listed once; only what is not found that way (it may lie in a sub-folder) is
    looked for by itself.

    Raises:
        DatasetError: the folder cannot be listed.
    """
    left = set(stems)
    left.difference_update(list_stems(folder, suffix))
    return {stem for stem in left if not (folder / f"{stem}{suffix}").is_file()}


def there_are(asked: str, known: Sequence[str]) -> str:
    """Return which names there are, for an error about one that is not among them."""
    return f"there are: {', '.join(known) or 'none'}{near_match(asked, known)}"


def some_of(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _around(root: Path) -> Iterator[Path]:
    """Yield the folder above, those below, and those below these."""
    yield root.parent
    below = [root / name for name in islice(_quietly(root), _LOOKED_AT)]
    yield from below
    for folder in below:
        yield from (folder / name for name in islice(_quietly(folder), _LOOKED_AT))


def _quietly(folder: Path) -> list[str]:
    try:
        return list_folders(folder)
    except DatasetError:
        return []
