"""CamVid: `SPLIT/*.png`, `SPLIT_labels/*_L.png` in the colours of `class_dict.csv`.

This is the form that circulates with folders train, val and test; the file lists 32 classes, or 12
in SegNet's version. What is called Void, or Unlabelled, is ignored.

http://mi.eng.cam.ac.uk/research/projects/VideoRec/CamVid/
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_pattern import find_by_pattern
from dali_voc.datasets._class_file import read_classes
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root, list_folders, list_stems
from dali_voc.datasets._options import DatasetOptions, choose_labels
from dali_voc.errors import DatasetError

__all__ = ["KINDS", "find_pairs"]

KINDS = ("color", "16bit")
_CLASS_FILE = "class_dict.csv"


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name.

    Args:
        root: the folder that holds `class_dict.csv` and a folder for each split.
        split: train, val or test.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `labels` may be `color`, the default; or `16bit`: gray files in
            `SPLIT_labels_16bit` that hold the number of a row of `class_dict.csv`, from 0. These
            are there for some pictures; the others are left out. `unlabeled`.

    Raises:
        DatasetError: the root or the split is not there, or files have no partner.
    """
    kind = choose_labels(options, KINDS)
    check_root(root, (), what="CamVid", files=(_CLASS_FILE,))
    spec = read_classes(root / _CLASS_FILE)
    suffix = "_labels" if kind == "color" else "_labels_16bit"
    chosen = None
    options = options or DatasetOptions()
    if kind == "16bit" and not options.unlabeled:
        chosen = sorted(list_stems(root / f"{split}{suffix}", "_L.png"))
        if not chosen:
            there = [
                name.removesuffix(suffix) for name in list_folders(root) if name.endswith(suffix)
            ]
            raise DatasetError(
                f"{root}/{split}{suffix}: found no labels, expected *_L.png; splits with such "
                f"labels are: {', '.join(there) or 'none'}"
            )
    found = find_by_pattern(
        root,
        split,
        images="{split}/*.png",
        masks=f"{{split}}{suffix}/*_L.png",
        chosen=chosen,
        must_exist=must_exist,
        unlabeled=options.unlabeled,
    )
    return PairIndex(
        images=found[0],
        labels=found[1],
        spec=spec,
        made_from=(str(root / _CLASS_FILE), *found[2]),
    )
