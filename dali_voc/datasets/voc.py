"""PASCAL VOC: `JPEGImages/ID.jpg`, `SegmentationClass/ID.png`, `ImageSets/Segmentation/SPLIT.txt`.

All years that have segmentations, 2007 to 2012, have the same layout, classes and colours.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._voc_layout import find_listed
from dali_voc.labels import LabelSpec, voc_colormap

__all__ = ["VOC_BORDER_COLOR", "VOC_SPEC", "find_pairs"]

# Palette entry 255: the border between objects, and pixels too difficult to decide.
VOC_BORDER_COLOR = voc_colormap(256)[255]

VOC_SPEC = LabelSpec(
    classes=(
        *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat"),
        *("chair", "cow", "dining table", "dog", "horse", "motorbike", "person"),
        *("potted plant", "sheep", "sofa", "train", "tv/monitor"),
    ),
    colors=voc_colormap(21),
    void_colors=(VOC_BORDER_COLOR,),
    void_values=(255,),
)


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, in the order of its list.

    Args:
        root: the folder `VOC2012`, or of another year, which holds `JPEGImages`.
        split: name of a list in `ImageSets/Segmentation`: train, val or trainval.
        must_exist: check that every file is there; else it turns out when it is read.
        options: `unlabeled`.

    Raises:
        DatasetError: see `find_listed`.
    """
    return find_listed(
        root,
        split,
        labels="SegmentationClass",
        spec=VOC_SPEC,
        what="PASCAL VOC",
        must_exist=must_exist,
        unlabeled=(options or DatasetOptions()).unlabeled,
    )
