"""Any folder of images and labels, whose paths follow patterns, with classes of its own."""

from __future__ import annotations

import logging
from pathlib import Path

from dali_voc.datasets._by_pattern import find_by_pattern
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._options import DatasetOptions, choose_labels
from dali_voc.datasets._own_classes import own_classes, reduce_zero
from dali_voc.datasets._split_list import read_split_list
from dali_voc.errors import DatasetError

__all__ = ["KINDS", "find_pairs"]

KINDS = ("keep_zero_label", "reduce_zero_label")

_log = logging.getLogger("dali_voc")

# texts beside the data that list no split
_NO_LISTS = (
    *("readme", "license", "licence", "classes", "class_names", "labelmap", "names"),
    *("labels.txt", "label_colors.txt", "map.txt"),
)


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name, or in the order of its list.

    Args:
        root: the folder that the patterns begin in.
        split: stands for `{split}` in the patterns. Where no pattern has it, the file
            `root/SPLIT.txt` lists the images of the split: what stands in the place of the
            wildcards of `images`, one a line. Without such files every split is all there is.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `images`, `masks` and `classes` must be given; `map`; `labels` may be
            `reduce_zero_label`: 0 is void and 1 the first class; with `unlabeled`, `masks` may
            be missing, and files that it matches are no images.

    Raises:
        DatasetError: see `find_by_pattern` and `own_classes`; or the list cannot be read.
    """
    options = options or DatasetOptions()
    for key, pattern in (("images", options.images), ("masks", options.masks)):
        if pattern is None and not (key == "masks" and options.unlabeled):
            hint = "; or dataset.unlabeled: true" if key == "masks" else ""
            raise DatasetError(
                f"dataset.{key}: found null, expected a pattern below the root such as "
                f"'{{split}}/**/*.png'{hint}"
            )
    images, masks = options.images or "", options.masks
    listed = "{split}" not in images + (masks or "")
    list_path = root / f"{split}.txt"
    kind = choose_labels(options, KINDS)
    spec = own_classes("folder", options, root=root)
    if kind == "reduce_zero_label":
        spec = reduce_zero(spec, options)
    chosen = _read_list(list_path, options.class_file) if listed else None
    if listed and chosen is None and split != "train":
        _log.warning(
            "%s: split '%s' is all pairs, as is any other: there is no list %s, and no {split} in "
            "dataset.images%s",
            root,
            split,
            list_path.name,
            " and dataset.masks" if masks else "",
        )
    found = find_by_pattern(
        root,
        split,
        images=images,
        masks=masks,
        chosen=chosen,
        listed_in=list_path,
        must_exist=must_exist,
        unlabeled=options.unlabeled,
    )
    # a list that is not there yet counts: it would change what is found
    lists = (str(list_path),) if listed else ()
    return PairIndex(images=found[0], labels=found[1], spec=spec, made_from=(*lists, *found[2]))


def _read_list(path: Path, class_file: Path | None) -> list[str] | None:
    texts = [p for p in path.parent.glob("*.txt") if not _is_same(p, class_file)]
    has_lists = path.exists() or any(not p.name.lower().startswith(_NO_LISTS) for p in texts)
    if not has_lists:
        return None
    return read_split_list(path, entries="stems", others=_NO_LISTS)


def _is_same(path: Path, other: Path | None) -> bool:
    return other is not None and path.resolve() == other.resolve()
