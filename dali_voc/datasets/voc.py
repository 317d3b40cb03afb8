"""PASCAL VOC: `JPEGImages/ID.jpg`, `SegmentationClass/ID.png`, `ImageSets/Segmentation/SPLIT.txt`.

http://host.robots.ox.ac.uk/pascal/VOC/voc2012/
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._index import PairIndex, PathList
from dali_voc.datasets._options import DatasetOptions
from dali_voc.errors import DatasetError
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
        root: the folder `VOC2012`, which holds `JPEGImages`.
        split: name of a list in `ImageSets/Segmentation`: train, val or trainval.
        must_exist: check that every file is there; else it turns out when it is read.
        options: none are taken.

    Raises:
        DatasetError: the root, the list, or a file of a pair is missing, or the list is empty.
    """
    _check_root(root)
    ids = _read_list(root, split)
    images = PathList(ids, prefix=f"{root}/JPEGImages/", suffix=".jpg")
    labels = PathList(ids, prefix=f"{root}/SegmentationClass/", suffix=".png")
    for what, paths in (("image", images), ("label", labels)) if must_exist else ():
        missing = [i for i in range(len(ids)) if not Path(paths[i]).is_file()]
        if missing:
            more = f" ({len(missing)} {what}s are missing in all)" if len(missing) > 1 else ""
            raise DatasetError(
                f"{paths[missing[0]]}: no such file, expected the {what} of "
                f"'{ids[missing[0]]}' in split '{split}'{more}"
            )
    return PairIndex(images=images, labels=labels, spec=VOC_SPEC)


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected the root of PASCAL VOC")
    for folder in "JPEGImages", "SegmentationClass":
        if not (root / folder).is_dir():
            inner = [p for p in (root / "VOC2012", root / "VOCdevkit/VOC2012") if p.is_dir()]
            hint = f"; did you mean {inner[0]}?" if inner else ""
            raise DatasetError(
                f"{root}: no folder '{folder}' in it, expected the root of PASCAL VOC{hint}"
            )


def _read_list(root: Path, split: str) -> list[str]:
    path = root / "ImageSets/Segmentation" / f"{split}.txt"
    try:
        # names may be any bytes; editors on Windows put a mark at the beginning
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        known = sorted(p.stem for p in path.parent.glob("*.txt"))
        raise DatasetError(
            f"{path}: no such file, expected the list of split '{split}'; "
            f"there are: {', '.join(known) or 'none'}"
        ) from None
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read as a list of ids ({e})") from None
    ids = [line.strip() for line in text.splitlines() if line.strip()]
    if not ids:
        raise DatasetError(f"{path}: the list of split '{split}' is empty, expected ids")
    return ids
