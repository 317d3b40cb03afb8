"""COCO panoptic: label files of segment ids, and a JSON that says what each segment shows.

The layout is that of the archives: `annotations/panoptic_SPLIT.json`, `annotations/panoptic_SPLIT/
*.png`, and the pictures in `SPLIT/*.jpg`, with splits train2017 and val2017. Any data in the same
format is read, because classes (133 for COCO, of things and of stuff) and colours are the JSON's
`categories`, in their order.

https://cocodataset.org/#panoptic-2018, https://arxiv.org/abs/1801.00868
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root, list_stems, some_of, there_are
from dali_voc.datasets._options import DatasetOptions, choose_labels
from dali_voc.datasets._panoptic_json import PanopticEntries, read_panoptic
from dali_voc.datasets._panoptic_segments import PanopticSegments, color_of_id
from dali_voc.datasets._path_list import PathList
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelMap, LabelSpec

__all__ = ["KINDS", "find_pairs"]

KINDS = ("all", "nocrowd")
_ALSO = {"train": "train2017", "val": "val2017"}


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, in the order of the JSON's entries.

    The image of a label file has the same name with `.jpg`.

    Args:
        root: the folder that holds `annotations` and the folders of pictures, which may also be
            in `images`; the folders of label files may lie in the root too.
        split: train or val; `train2017` and `val2017`, as the folders are called, mean the same.
        must_exist: check that images, labels and entries have their partners; else it turns out
            when they are read.
        options: `labels` may be one of `KINDS`: with `nocrowd`, segments of whole crowds
            (`iscrowd`) have no class.

    Raises:
        DatasetError: the root or the split is not there, files have no partner, or the JSON is not
            sound, see `read_panoptic`.
    """
    kind = choose_labels(options, KINDS)
    check_root(root, ("annotations",), what="COCO panoptic")
    name = _find_split(root, split)
    path = root / f"annotations/panoptic_{name}.json"
    labels = _folder(root, f"annotations/panoptic_{name}", f"panoptic_{name}", what="labels")
    images = _folder(root, name, f"images/{name}", what="images")
    entries = read_panoptic(path)
    if must_exist:
        _check_files(path, entries.stems, images, labels)
    files = PathList(entries.stems, prefix=f"{images}/", suffix=".jpg")
    classes = np.where(entries.crowd & (kind == "nocrowd"), -1, entries.classes).astype(np.int32)
    return PairIndex(
        images=files,
        labels=files.between(f"{labels}/", ".png"),
        spec=_spec(path, entries),
        segments=PanopticSegments(
            colors=color_of_id(entries.ids), classes=classes, ends=entries.ends
        ),
        made_from=(str(path),),
    )


def _find_split(root: Path, split: str) -> str:
    names = list_stems(root / "annotations", ".json")
    there = sorted(n.removeprefix("panoptic_") for n in names if n.startswith("panoptic_"))
    name = split if split in there else _ALSO.get(split, split)
    if name not in there:
        raise DatasetError(
            f"{root / 'annotations'}: found no panoptic_{name}.json of split '{split}', "
            f"{there_are(split, there)}"
        )
    return name


def _folder(root: Path, *names: str, what: str) -> Path:
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise DatasetError(f"{root}: no folder '{' or '.join(names)}' in it, expected the {what}")


def _spec(path: Path, entries: PanopticEntries) -> LabelSpec:
    categories = entries.categories
    try:
        return LabelSpec(
            classes=tuple(category.name for category in categories),
            colors=tuple(category.color for category in categories),
            void_colors=((0, 0, 0),),
            maps=(LabelMap(),),  # what colours mean differs from file to file
        )
    except ValueError as e:
        raise DatasetError(f"{path}: 'categories': {e}") from None


def _check_files(path: Path, stems: list[str], images: Path, labels: Path) -> None:
    no_label = set(stems)
    no_entry = []
    for stem in list_stems(labels, ".png"):
        if stem in no_label:
            no_label.remove(stem)
        else:
            no_entry.append(stem)
    no_image = set(stems).difference(list_stems(images, ".jpg"))
    found = [
        f"{what} for {len(names)} ({some_of(sorted(names))})"
        for what, names in (
            (f"no file in {labels}", no_label),
            ("no entry", no_entry),
            (f"no image in {images}", no_image),
        )
        if names
    ]
    if found:
        raise DatasetError(
            f"{path}: expected an entry, a label and an image for each name, found "
            f"{', and '.join(found)}"
        )
