"""WebDataset: tar shards of `KEY.jpg` and `KEY.png`, read where they lie.

https://github.com/webdataset/webdataset
"""

from __future__ import annotations

import glob
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc.datasets._class_file import read_classes
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import some_of
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._packed_names import Names
from dali_voc.datasets._records import RecordList
from dali_voc.datasets._tar_index import ShardIndex
from dali_voc.datasets._tar_indices import load_indices
from dali_voc.datasets._tar_scan import IMAGES, LABELS
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import DatasetError

__all__ = ["CLASS_FILE", "find_pairs"]

_log = logging.getLogger("dali_voc")

CLASS_FILE = "classes.json"


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, shard by shard in the order of their names.

    Args:
        root: a folder that holds `SPLIT/*.tar`, or `SPLIT.tar` and `SPLIT-*.tar`; or a pattern with
            `{split}` in it, such as `/data/coco-{split}-*.tar`. A file `classes.json` beside the
            shards or in the folder says what the classes are; without one they are VOC's.
        split: name of the split.
        must_exist: of no effect; a shard is there or not as a whole.
        options: `unlabeled`.

    Raises:
        DatasetError: there are no shards, one is not a sound tar of pairs, or a key occurs twice.
    """
    shards = _find_shards(root, split)
    unlabeled = (options or DatasetOptions()).unlabeled
    indices = load_indices(shards, unlabeled=unlabeled)
    names = _join_names(indices)
    if len(names) == 0:
        wanted = "images, expected KEY.jpg" if unlabeled else "pairs, expected KEY.jpg and KEY.png"
        raise DatasetError(f"{shards[0]}: found no {wanted}")
    _check_unique(indices, names, shards)
    offset = np.concatenate([index.offset for index in indices])
    size = np.concatenate([index.size for index in indices])
    suffix = np.concatenate([index.suffix for index in indices])
    counts = [len(index) for index in indices]
    shard = np.repeat(np.arange(len(shards), dtype=np.int32), counts)
    modified = np.array([index.version[2] for index in indices], np.int64)

    def records(column: int, suffixes: tuple[str, ...]) -> RecordList:
        return RecordList(
            shards=tuple(map(str, shards)),
            names=names,
            shard=shard,
            offset=offset[:, column],
            size=size[:, column],
            modified=modified,
            title=_Title(names=names, suffixes=suffixes, suffix=suffix[:, column]),
        )

    classes = [f for f in (shards[0].parent / CLASS_FILE, root / CLASS_FILE) if f.is_file()]
    return PairIndex(
        images=records(0, IMAGES),
        labels=records(1, LABELS),
        spec=read_classes(classes[0]) if classes else VOC_SPEC,
    )


@dataclass(frozen=True, kw_only=True)
class _Title:
    """What errors call the member of a row; `suffix` says which of `suffixes` it has."""

    names: Names
    suffixes: tuple[str, ...]
    suffix: npt.NDArray[Any]

    def __call__(self, row: int) -> str:
        return f"{self.names[row]}.{self.suffixes[int(self.suffix[row])]}"


def _find_shards(root: Path, split: str) -> list[Path]:
    if root.is_dir():
        patterns = [
            f"{glob.escape(str(root))}/{glob.escape(split)}{rest}"
            for rest in ("/*.tar", "-*.tar", ".tar")
        ]
    elif "{split}" in str(root):
        patterns = [str(root).replace("{split}", glob.escape(split))]
    elif root.is_file():
        raise DatasetError(
            f"{root}: this is a file, expected the folder of the shards, or a pattern with "
            "{split} in it"
        )
    else:
        raise DatasetError(
            f"{root}: no such folder, expected one of tar shards, or a pattern with {{split}} in "
            "it, such as /data/coco-{split}-*.tar"
        )
    found = sorted(Path(path) for pattern in patterns for path in glob.glob(pattern))
    if root.is_dir():
        found = _own_shards(found, root, split)
    if not found:
        raise DatasetError(
            f"{root}: found no shards of split '{split}', expected {' or '.join(patterns)}"
        )
    return found


def _own_shards(shards: list[Path], root: Path, split: str) -> list[Path]:
    """Leave out what belongs to another split: beside `val-0.tar`, `val-hard-0.tar`."""
    start = f"{split}-"
    named = [path for path in shards if path.parent == root and path.name.startswith(start)]
    others = [path for path in named if not path.name[len(start) :][:1].isdigit()]
    if not others or len(others) == len(shards):
        return shards
    _log.warning(
        "%s: %d shards of split '%s' are left out, as no number follows (%s); a pattern with "
        "{split} in it, as root, would take them",
        root,
        len(others),
        split,
        some_of([path.name for path in others]),
    )
    return [path for path in shards if path not in others]


def _join_names(indices: list[ShardIndex]) -> Names:
    lengths = np.array([len(index.text) for index in indices], np.int64)
    before = np.cumsum(lengths) - lengths
    ends = [index.ends + start for index, start in zip(indices, before, strict=True)]
    return Names(text=np.concatenate([index.text for index in indices]), ends=np.concatenate(ends))


def _check_unique(indices: list[ShardIndex], names: Names, shards: list[Path]) -> None:
    hashes = np.concatenate([index.hashes for index in indices])
    order = np.argsort(hashes, kind="stable")
    alike = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    pairs = [(int(order[i]), int(order[i + 1])) for i in alike]
    twice = sorted(second for first, second in pairs if names[first] == names[second])
    if not twice:
        return
    ends = np.cumsum([len(index) for index in indices])
    shard = shards[int(np.searchsorted(ends, twice[0], side="right"))]
    raise DatasetError(
        f"{shard}: found {names[twice[0]]}, which is in a shard before it as well, expected each "
        f"key once ({len(twice)} keys in all occur again)"
    )
