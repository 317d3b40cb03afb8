"""Mapillary Vistas: `SPLIT/images/*.jpg`, `SPLIT/v1.2/labels/*.png` or `SPLIT/v2.0/labels/*.png`.

A value in a label file is the place of a class in `config_v1.2.json` or `config_v2.0.json`, which
come with the data. Those that the file says are not evaluated, such as `Unlabeled`, are void. The
first releases, 1.0 and 1.1, hold `SPLIT/labels` and `config.json` instead.

https://www.mapillary.com/dataset/vistas
"""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_stem import Side, find_by_stem, split_folder
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import check_root
from dali_voc.datasets._mapillary_json import read_mapillary_classes
from dali_voc.datasets._options import DatasetOptions, choose_labels

__all__ = ["KINDS", "find_pairs"]

KINDS = ("v1.2", "v2.0")
_ALSO = {"train": "training", "val": "validation", "test": "testing"}


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name.

    Args:
        root: the folder that holds `training`, `validation` and a `config_*.json`.
        split: train or val; `training` and `validation`, as the folders are called, mean the same.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `labels` may be `v1.2`, the default, of 66 labels, or `v2.0`, of 124; `unlabeled`.

    Raises:
        DatasetError: the root, its JSON or the split is not there, or files have no partner.
    """
    kind = choose_labels(options, KINDS)
    options = options or DatasetOptions()
    config, labels = f"config_{kind}.json", f"{kind}/labels"
    if kind == "v1.2" and not (root / config).is_file() and (root / "config.json").is_file():
        config, labels = "config.json", "labels"
    check_root(root, (), what="Mapillary Vistas", files=(config,))
    folder = root / split_folder(root, split, also=_ALSO)
    found = find_by_stem(
        Side(folder=folder / "images", suffix=".jpg"),
        Side(folder=folder / labels, suffix=".png"),
        must_exist=must_exist and not options.unlabeled,
    )
    return PairIndex(
        images=found[0],
        labels=found[1],
        spec=read_mapillary_classes(root / config),
        made_from=(str(root / config),),
    )
