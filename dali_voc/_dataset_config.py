"""Section `dataset` of the configuration: which data set, and what is made of its labels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, field_validator

from dali_voc._config_section import ListToTuple, PathText, Section, expanded
from dali_voc._near_match import near_match
from dali_voc.datasets import DATASETS, DatasetOptions, SourceOptions, dataset_names
from dali_voc.datasets._options import LabelKey

__all__ = ["DatasetConfig", "SourceConfig"]


def _label_key(key: object) -> LabelKey:
    """Return a value, a colour ("128, 64, 128" or "#804080") or a class name."""
    if isinstance(key, tuple) and [*map(type, key)] == [int] * 3:
        r, g, b = map(int, key)
        return r, g, b  # a colour, as this function returns it
    if isinstance(key, bool) or not isinstance(key, int | str):
        raise ValueError(f"found the key {key!r}, expected a value, a colour or a class name")
    if isinstance(key, int):
        return key
    key = key.strip()
    if re.fullmatch(r"\d+", key):  # keys of JSON and of --set are texts
        return int(key)
    if found := re.fullmatch(r"#([0-9a-fA-F]{6})", key):
        number = int(found[1], 16)
        return number >> 16, number >> 8 & 255, number & 255
    if found := re.fullmatch(r"(\d+)[, ]+(\d+)[, ]+(\d+)", key):
        return int(found[1]), int(found[2]), int(found[3])
    return key


def _label_keys(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    keys: dict[LabelKey, Any] = {}
    for key, name in value.items():
        meant = _label_key(key)
        if meant in keys:
            raise ValueError(f"expected each value and colour once, not {meant!r} twice")
        if not isinstance(name, str | None):
            raise ValueError(
                f"expected the name of a class, or null, for {meant!r}, not the "
                f"{type(name).__name__} {name!r}"
            )
        keys[meant] = name
    return keys


ClassNames = Annotated[tuple[str, ...], Field(min_length=1), ListToTuple] | PathText
# colours are checked where they are used
LabelKeys = Annotated[
    dict[int | tuple[int, int, int] | str, str | None],
    BeforeValidator(_label_keys),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        }
    ),
]


class _Source(Section):
    name: str = Field("folder", description="name of the data set, see docs/datasets.md")
    root: PathText = Field(
        description="the data set's folder, below dataset.root unless it is absolute; ~ and "
        "$VARIABLES are expanded",
        examples=["VOCdevkit/VOC2012"],
    )
    labels: str | None = Field(
        None,
        description="which of the data set's kinds of labels, see docs/datasets.md; null: its "
        "usual one",
        examples=["labelTrainIds"],
    )
    classes: ClassNames | None = Field(
        None,
        description="names of the classes, in order, or a file that lists them; null: the data "
        "set's own",
        examples=[["background", "crop", "weed"], "class_dict.csv"],
    )
    map: LabelKeys | None = Field(
        None,
        description="class that each value, colour or class of the data set becomes, null where "
        "it is ignored; key '*': all others",
        examples=[{"128, 64, 128": "road", "sofa": "chair"}],
    )
    images: str | None = Field(
        None,
        description="for folder: pattern of the images' paths below root, with {split}, * or ** "
        "and, behind these, several endings: *.{jpg,png}",
        examples=["{split}/**/*.jpg"],
    )
    masks: str | None = Field(
        None,
        description="for folder: pattern of the labels' paths below root, likewise",
        examples=["{split}_labels/**/*_L.png"],
    )
    unlabeled: bool = Field(
        False,
        description="true: label files are not looked for, and every pixel is "
        "labels.ignore_index, or of pictures labels.unlabeled_index; see docs/predicting.md",
    )

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name in DATASETS:  # else what is installed is searched, which takes milliseconds
            return name
        names = dataset_names()
        if name not in names:
            raise ValueError(f"expected one of: {', '.join(names)}{near_match(name, names)}")
        return name

    def _options(self) -> dict[str, Any]:
        classes = self.classes
        return {
            "labels": self.labels,
            "classes": expanded(classes) if isinstance(classes, str) else classes,
            "map": self.map,
            "images": self.images,
            "masks": self.masks,
            "unlabeled": self.unlabeled,
        }


class SourceConfig(_Source):
    """One of several data sets that are put together."""

    split: str | None = Field(
        None,
        description="split of this data set; null: the one that is asked for",
        examples=["train_aug"],
    )
    weight: float | None = Field(
        None,
        gt=0,
        description="how often it is drawn, next to the others; null: as many as it has samples",
        examples=[2.0],
    )

    @property
    def source(self) -> SourceOptions:
        """The same as data sets take it."""
        return SourceOptions(
            name=self.name,
            root=expanded(self.root),
            split=self.split,
            weight=self.weight,
            options=DatasetOptions(**self._options()),
        )


class DatasetConfig(_Source):
    """Which data set, and where it lies."""

    name: str = Field("voc2012", description="name of the data set, see docs/datasets.md")
    root: PathText = Field(
        description="the data set's folder, or for webdataset a pattern with {split} in it; ~ and "
        "$VARIABLES are expanded",
        examples=["/data/VOCdevkit/VOC2012"],
    )
    sources: Annotated[tuple[SourceConfig, ...], ListToTuple] = Field(
        (), description="for name: sources, the data sets that are put together"
    )
    index: PathText | None = Field(
        None,
        description="the file of `dali-voc index`, with {split} in it; ~ and $VARIABLES are "
        "expanded; null: folders are listed at each start",
        examples=["/data/index-{split}.npz"],
    )

    @property
    def path(self) -> Path:
        """The root as a path, expanded."""
        return expanded(self.root)

    @property
    def options(self) -> DatasetOptions:
        """The other keys as data sets take them."""
        sources = tuple(source.source for source in self.sources)
        return DatasetOptions(**self._options(), sources=sources)

    def index_file(self, split: str) -> Path | None:
        """The file that keeps the index of a split, expanded; None: there is none."""
        if self.index is None:
            return None
        return Path(str(expanded(self.index)).replace("{split}", split))
