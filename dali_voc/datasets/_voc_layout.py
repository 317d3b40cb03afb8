"""PASCAL VOC's layout: `JPEGImages/ID.jpg`, a folder of `ID.png`, lists of ids per split."""

from __future__ import annotations

import glob
import re
from pathlib import Path

from dali_voc._repeats import repeated
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root, missing_stems, some_of
from dali_voc.datasets._path_list import PathList
from dali_voc.datasets._split_list import read_split_list
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelSpec

__all__ = ["IMAGES", "find_listed"]

IMAGES = "JPEGImages"
_LISTS = "ImageSets/Segmentation"


def find_listed(
    root: Path,
    split: str,
    *,
    labels: str,
    spec: LabelSpec,
    what: str,
    must_exist: bool,
    unlabeled: bool = False,
    endings: tuple[str, ...] = (".jpg",),
    advice: str = "",
) -> PairIndex:
    """Return the pairs of a split, in the order of its list.

    Args:
        root: the folder that holds `JPEGImages`.
        split: name of a list in `ImageSets/Segmentation`, of ids or, as some lists have it, of
            `/JPEGImages/ID.jpg /LABELS/ID.png`.
        labels: name of the labels' folder, or its path, if that is absolute.
        spec: what label values mean.
        what: what errors call the data set.
        must_exist: check that every file is there; else it turns out when it is read.
        unlabeled: labels are not looked for.
        endings: which images may have; that of the first is all images'.
        advice: what errors add where a label is missing.

    Raises:
        DatasetError: the root, the list, or a file of a pair is missing, or the list is empty, not
            one of ids, or has one twice.
    """
    try:
        check_root(root, (IMAGES,) if unlabeled else (IMAGES, labels), what=what)
    except DatasetError as e:
        if unlabeled or not (root / IMAGES).is_dir():
            raise
        raise DatasetError(f"{e}; without labels: dataset.unlabeled: true") from None
    list_path = root / _LISTS / f"{split}.txt"
    ids = _read_list(list_path, labels)
    there = (ending for ending in endings if (root / IMAGES / f"{ids[0]}{ending}").is_file())
    ending = next(there, endings[0])
    if must_exist:
        for_split = f" in split '{split}'"
        _check_files(ids, root / IMAGES, ending, what="image", where=for_split)
        if not unlabeled:
            lacking = {"what": "label", "where": for_split, "advice": advice}
            _check_files(ids, root / labels, ".png", **lacking)
    images = PathList(ids, prefix=f"{root}/{IMAGES}/", suffix=ending)
    return PairIndex(
        images=images,
        labels=images.between(f"{root / labels}/", ".png"),
        spec=spec,
        made_from=(str(list_path),),
    )


def _check_files(
    ids: list[str], folder: Path, suffix: str, *, what: str, where: str, advice: str = ""
) -> None:
    missing = missing_stems(ids, folder, suffix)
    if not missing:
        return
    ordered = [name for name in ids if name in missing]
    several = len(ordered) > 1
    more = f" ({len(ordered)} {what}s are missing in all: {some_of(ordered)})" if several else ""
    others = sorted(folder.glob(f"{glob.escape(ordered[0])}.*"))
    hint = f"; there is {others[0].name}" if others else advice
    raise DatasetError(
        f"{folder / (ordered[0] + suffix)}: no such file, expected the {what} of "
        f"'{ordered[0]}'{where}{more}{hint}"
    )


def _read_list(path: Path, labels: str) -> list[str]:
    ids = read_split_list(path, entries="ids")
    if any(f"{IMAGES}/" in line for line in ids):
        ids = [_id_of(line, path, labels) for line in ids]
    twice = repeated(ids)
    if twice:
        raise DatasetError(
            f"{path}: found {len(twice)} ids more than once ({some_of(twice)}), expected each once"
        )
    return ids


def _id_of(line: str, path: Path, labels: str) -> str:
    """Return the id of a line that may be of two paths."""
    if f"{IMAGES}/" not in line:
        return line
    found = re.fullmatch(rf"/?{IMAGES}/(.+)\.jpg\s+/?{re.escape(labels)}/(.+)\.png", line)
    if found is None or found[1] != found[2]:
        raise DatasetError(
            f"{path}: found {line!r}, expected an id, or /{IMAGES}/ID.jpg /{labels}/ID.png"
        )
    return found[1]
