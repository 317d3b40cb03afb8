"""What an index file is of: a data set, its folder, its keys and a split."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dali_voc.datasets._class_file import locate_class_file
from dali_voc.datasets._options import DatasetOptions

__all__ = ["IndexSubject", "from_root", "to_root"]


@dataclass(frozen=True, kw_only=True)
class IndexSubject:
    """Whatever of section `dataset` decides what a listing finds and what labels mean.

    Attributes:
        name: of the data set.
        root: its folder, as the configuration has it: relative paths stay relative.
        split: name of the split.
        options: its other keys as plain values, those that are not given left out.
    """

    name: str
    root: Path
    split: str
    options: dict[str, Any]

    @classmethod
    def of(cls, name: str, root: Path, split: str, options: DatasetOptions) -> IndexSubject:
        """Put together what an index is of."""
        # through JSON, as it comes out of a file
        plain = json.loads(json.dumps(_plain(options, root)))
        return cls(name=name, root=root, split=split, options=plain)

    @property
    def place(self) -> str:
        """The folder, the same from wherever it is looked at."""
        return os.path.abspath(self.root)

    def differs(self, *, name: str, place: str, split: str, options: dict[str, Any]) -> str | None:
        """Say in what an index is of something else; None: it is of this."""
        for what, found, expected in (
            ("dataset.name", name, self.name),
            ("split", split, self.split),
            ("dataset.root", place, self.place),
        ):
            if found != expected:
                return f"made of {what} {found!r}, expected {expected!r}"
        for key in sorted({*options, *self.options}):
            if options.get(key) != self.options.get(key):
                return f"made with another dataset.{key} than the configuration's"
        return None


def to_root(path: str, root: Path) -> str:
    """Return what of a path comes after the root; of one that is not below it, all, absolute."""
    below = path.removeprefix(f"{root}/")
    if below != path and not below.startswith("/"):
        return below
    return os.path.join(os.getcwd(), path)


def from_root(path: str, root: Path) -> str:
    """Return a path that `to_root` shortened, below a root that may be called otherwise now."""
    return path if path.startswith("/") else f"{root}/{path}"


def _plain(options: DatasetOptions, root: Path) -> dict[str, Any]:
    classes: Any = options.classes
    if isinstance(classes, Path):
        classes = os.path.abspath(locate_class_file(classes, root))
    plain = {
        "labels": options.labels,
        "classes": classes,
        # keys may be colours; and in what order they come decides between alike ones
        "map": None if options.map is None else list(options.map.items()),
        "images": options.images,
        "masks": options.masks,
        "unlabeled": options.unlabeled or None,
        "sources": [
            {
                "name": source.name,
                "root": os.path.abspath(root / source.root),
                "split": source.split,
                "weight": source.weight,
                **_plain(source.options, root / source.root),
            }
            for source in options.sources
        ],
    }
    return {key: value for key, value in plain.items() if value is not None and value != []}
