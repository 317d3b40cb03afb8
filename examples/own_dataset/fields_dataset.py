"""Pictures of fields, listed in `pairs.csv`: a data set of one's own for dali_voc.

    split,image,label
    train,2024/may/0001.jpg,masks/a7.png

Labels are gray PNG: 0 soil, 1 crop, 2 weed, 255 not labelled.
"""

import csv
from pathlib import Path

from dali_voc import DatasetError
from dali_voc.datasets import Dataset, DatasetOptions, PairIndex, PathList
from dali_voc.labels import LabelSpec

SPEC = LabelSpec(
    classes=("soil", "crop", "weed"),
    colors=((120, 80, 40), (40, 160, 60), (220, 40, 40)),
    void_values=(255,),
)


def find_pairs(root: Path, split: str, *, must_exist: bool, options: DatasetOptions) -> PairIndex:
    """Return the pairs of a split, in the order of the list."""
    table = root / "pairs.csv"
    try:
        rows = list(csv.DictReader(table.read_text().splitlines()))
    except FileNotFoundError:
        raise DatasetError(f"{table}: no such file, expected the list of pairs") from None
    chosen = [row for row in rows if row["split"] == split]
    if not chosen:
        there = ", ".join(sorted({row["split"] for row in rows}))
        raise DatasetError(f"{table}: found no split {split!r}, expected one of: {there}")
    if must_exist:
        for row in chosen:
            for kind in "image", "label":
                if not (root / row[kind]).is_file():
                    raise DatasetError(f"{root / row[kind]}: no such file, but {table} lists it")
    return PairIndex(
        images=PathList((row["image"] for row in chosen), prefix=f"{root}/"),
        labels=PathList((row["label"] for row in chosen), prefix=f"{root}/"),
        spec=SPEC,
        made_from=(str(table),),  # an index file is out of date when this changes
    )


FIELDS = Dataset(find=find_pairs)
