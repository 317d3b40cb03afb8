"""PASCAL VOC 2012 with the labels of SBD: `SegmentationClassAug/ID.png` for 12,031 pictures.

SBD (Semantic Boundaries Dataset) holds its labels as MATLAB files; what circulates are these PNG
files made of them, gray or with VOC's palette, and lists `train_aug` and `trainval_aug`.

http://home.bharathh.info/pubs/codes/SBD/download.html
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._voc_layout import find_listed
from dali_voc.datasets.voc import VOC_SPEC

__all__ = ["find_pairs"]


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, in the order of its list.

    Args:
        root: the folder `VOC2012`, which holds `JPEGImages` and `SegmentationClassAug`.
        split: name of a list in `ImageSets/Segmentation`: train_aug, trainval_aug, val, ...
        must_exist: check that every file is there; else it turns out when it is read.
        options: `unlabeled`.

    Raises:
        DatasetError: see `find_listed`.
    """
    return find_listed(
        root,
        split,
        labels="SegmentationClassAug",
        spec=VOC_SPEC,
        what="PASCAL VOC with SBD's labels",
        must_exist=must_exist,
        unlabeled=(options or DatasetOptions()).unlabeled,
    )
