"""Folders in PASCAL VOC's layout with classes of their own."""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._own_classes import own_classes
from dali_voc.datasets._voc_layout import find_listed

__all__ = ["find_pairs"]

# annotation tools keep that of the pictures they were given
_ENDINGS = (".jpg", ".jpeg", ".JPG", ".JPEG", ".png", ".PNG")


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, in the order of its list.

    Args:
        root: the folder that holds `JPEGImages`.
        split: name of a list in `ImageSets/Segmentation`.
        must_exist: check that every file is there; else it turns out when it is read.
        options: `classes` must be given; `map`; `labels` is the name of the labels' folder, or an
            absolute path, by default `SegmentationClass`; `unlabeled`.

    Raises:
        DatasetError: see `find_listed` and `own_classes`.
    """
    options = options or DatasetOptions()
    return find_listed(
        root,
        split,
        labels=options.labels or "SegmentationClass",
        spec=own_classes("voc_layout", options, root=root),
        what="a data set in PASCAL VOC's layout",
        must_exist=must_exist,
        unlabeled=options.unlabeled,
        endings=_ENDINGS,
        advice="; lines of pictures without a label can be taken out of the list",
    )
