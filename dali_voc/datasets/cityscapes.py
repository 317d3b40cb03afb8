"""Cityscapes: `leftImg8bit/SPLIT/CITY/*_leftImg8bit.png`, labels in `gtFine` or `gtCoarse`.

Names, numbers and colours are those of `labels.py` in the authors' scripts. Of the 34 numbers, 19
are classes of the benchmark; the others are void. Licence plates have no number and are not drawn.

https://www.cityscapes-dataset.com, https://github.com/mcordts/cityscapesScripts
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_stem import Side, find_by_stem, split_folder
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root, list_folders
from dali_voc.datasets._options import DatasetOptions, choose_labels
from dali_voc.errors import DatasetError
from dali_voc.labels import Color, LabelMap, LabelSpec

__all__ = ["CITYSCAPES_SPEC", "KINDS", "find_pairs"]

# Name, whether it is a class of the benchmark, and colour; a label's number is its place.
_LABELS: tuple[tuple[str, bool, Color], ...] = (
    ("unlabeled", False, (0, 0, 0)),
    ("ego vehicle", False, (0, 0, 0)),
    ("rectification border", False, (0, 0, 0)),
    ("out of roi", False, (0, 0, 0)),
    ("static", False, (0, 0, 0)),
    ("dynamic", False, (111, 74, 0)),
    ("ground", False, (81, 0, 81)),
    ("road", True, (128, 64, 128)),
    ("sidewalk", True, (244, 35, 232)),
    ("parking", False, (250, 170, 160)),
    ("rail track", False, (230, 150, 140)),
    ("building", True, (70, 70, 70)),
    ("wall", True, (102, 102, 156)),
    ("fence", True, (190, 153, 153)),
    ("guard rail", False, (180, 165, 180)),
    ("bridge", False, (150, 100, 100)),
    ("tunnel", False, (150, 120, 90)),
    ("pole", True, (153, 153, 153)),
    ("polegroup", False, (153, 153, 153)),
    ("traffic light", True, (250, 170, 30)),
    ("traffic sign", True, (220, 220, 0)),
    ("vegetation", True, (107, 142, 35)),
    ("terrain", True, (152, 251, 152)),
    ("sky", True, (70, 130, 180)),
    ("person", True, (220, 20, 60)),
    ("rider", True, (255, 0, 0)),
    ("car", True, (0, 0, 142)),
    ("truck", True, (0, 0, 70)),
    ("bus", True, (0, 60, 100)),
    ("caravan", False, (0, 0, 90)),
    ("trailer", False, (0, 0, 110)),
    ("train", True, (0, 80, 100)),
    ("motorcycle", True, (0, 0, 230)),
    ("bicycle", True, (119, 11, 32)),
)
_CLASSES = tuple(name for name, is_class, _ in _LABELS if is_class)


def _label_maps() -> dict[str, LabelMap]:
    indices = [_CLASSES.index(name) if is_class else None for name, is_class, _ in _LABELS]
    colors: dict[Color, int | None] = {}
    for (_, _, color), index in zip(_LABELS, indices, strict=True):
        # groups of poles have the colour of poles, and count as such
        colors.setdefault(color, index)
    return {
        "labelIds": LabelMap(values=tuple(enumerate(indices))),
        "labelTrainIds": LabelMap(values=(*((i, i) for i in range(len(_CLASSES))), (255, None))),
        "color": LabelMap(colors=tuple(colors.items())),
    }


_MAPS = _label_maps()
KINDS = tuple(_MAPS)


def _spec(kind: str) -> LabelSpec:
    return LabelSpec(
        classes=_CLASSES,
        colors=tuple(color for _, is_class, color in _LABELS if is_class),
        void_colors=((0, 0, 0),),
        maps=(_MAPS[kind],),
    )


CITYSCAPES_SPEC = _spec("labelIds")


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, city by city in the order of their names.

    Args:
        root: the folder that holds `leftImg8bit`, and `gtFine` or `gtCoarse`.
        split: train, val or test, with the labels of `gtFine`; or train_extra, of `gtCoarse`.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `labels` may be one of `KINDS`; `unlabeled`.

    Raises:
        DatasetError: the root or the split is not there, or files have no partner.
    """
    kind = choose_labels(options, KINDS)
    truth = "gtCoarse" if split == "train_extra" else "gtFine"
    options = options or DatasetOptions()
    folders = ("leftImg8bit",) if options.unlabeled else ("leftImg8bit", truth)
    check_root(root, folders, what="Cityscapes")
    photographs = root / "leftImg8bit"
    folder = photographs / split_folder(photographs, split, also={})
    cities = [f"{city}/" for city in list_folders(folder)]
    if not cities:
        raise DatasetError(f"{folder}: found no folders, expected one for each city")
    images, labels = find_by_stem(
        Side(folder=folder, suffix="_leftImg8bit.png"),
        Side(folder=root / truth / split, suffix=f"_{truth}_{kind}.png"),
        below=cities,
        must_exist=must_exist and not options.unlabeled,
    )
    return PairIndex(
        images=images,
        labels=labels,
        spec=_spec(kind),
        made_from=tuple(str(folder / city) for city in cities),
    )
