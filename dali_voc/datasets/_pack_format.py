"""What a packed split consists of: shards, `records.npy`, `names.bin` and `index.json`.

Where the source has weights, `weights.npy`, too.

A shard is `SHARD_START`, and then image and label of each pair, one after another. Images are as
they were, or JPEG rewritten without loss; labels are class indices in the code of
`dali_voc/ops/csrc/label_runs.h`, or gray PNG.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from dali_voc.errors import DatasetError
from dali_voc.labels import LabelSpec

__all__ = [
    "INDEX",
    "NAMES",
    "RECORD",
    "RECORDS",
    "SHARD_START",
    "VERSION",
    "WEIGHTS",
    "MadeFrom",
    "PackIndex",
    "Shard",
    "packed_spec",
    "shard_name",
    "unfinished",
]

VERSION = 1
INDEX, RECORDS, NAMES, WEIGHTS = "index.json", "records.npy", "names.bin", "weights.npy"
SHARD_START = b"dali_voc pack 1\n"

# One pair. Of what there is two of, the first is the image's and the second the label's.
RECORD = np.dtype(
    [
        ("shard", "<u4"),
        ("offset", "<u8", (2,)),  # in the shard, bytes
        ("length", "<u4", (2,)),  # bytes
        ("crc", "<u4", (2,)),  # CRC-32
        ("size", "<u4", (2,)),  # height and width, pixels
        ("name_end", "<u8"),  # where its name ends in names.bin, with the zero byte behind it
    ]
)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MadeFrom(_Model):
    """What a split was packed from, and how.

    Attributes:
        dataset: name of the data set.
        root: where it lay.
        split: name of the split.
        samples: which samples it had, as `PairIndex.digest` says it.
        palette: `labels.palette`.
        unknown: `labels.unknown`.
        shard_size: bytes that a shard may have.
        meaning: a hash of what label values mean, where they are not the classes' own.
        files: which files the samples were in, as `PairIndex.files_digest` says it.
        state: a hash of the sizes and times of these files, see `state_of_files`.
        weights: a hash of the samples' weights, where they have any.
        jpeg_restarts: MCUs between restart markers that were added to JPEG files; 0: they are as
            they were.
    """

    dataset: str
    root: str
    split: str
    samples: str
    palette: str
    unknown: str
    shard_size: int
    meaning: str = ""
    files: str = ""
    state: str = ""
    weights: str = ""
    jpeg_restarts: int = 0


class Shard(_Model):
    """A shard's size in bytes, and its number of records."""

    size: int = Field(ge=0)
    records: int = Field(ge=1)


class PackIndex(_Model):
    """The file `index.json`.

    Attributes:
        format: what this is.
        version: of the format.
        records: number of pairs.
        samples: which they are, as `PairIndex.digest` says it.
        spec: what label values mean.
        meaning: what those of the source mean, as `PairIndex.meaning` says it; None: of a version
            that did not write it.
        void: the value of pixels of no class.
        shards: in order.
        records_crc: CRC-32 of `records.npy`.
        names_crc: CRC-32 of `names.bin`.
        weights_crc: CRC-32 of `weights.npy`; None: there is none.
        made_from: source and configuration.
        left_out: what was wrong with the pairs that were left out.
    """

    format: Literal["dali_voc pack"] = "dali_voc pack"
    version: Literal[1] = 1
    records: int = Field(ge=1)
    samples: str
    spec: LabelSpec
    meaning: dict[str, Any] | None = None
    void: int = Field(ge=0, le=65534)
    shards: tuple[Shard, ...] = Field(min_length=1)
    records_crc: int
    names_crc: int
    weights_crc: int | None = None
    made_from: MadeFrom
    left_out: tuple[str, ...]


def shard_name(number: int) -> str:
    """Return the name of a shard's file."""
    return f"shard-{number:05d}.pack"


def unfinished(split: str) -> str:
    """Return the name of the folder in which a split is being packed."""
    return f".{split}.packing"


def packed_spec(spec: LabelSpec) -> tuple[LabelSpec, int]:
    """Return what packed labels mean, and the value of void in them.

    It is the same as in the source wherever void has a value there that is no class.

    Raises:
        DatasetError: there are too many classes.
    """
    n = len(spec.classes)
    if n > 65534:
        raise DatasetError(f"found {n} classes, expected at most 65534: void needs a value too")
    # a class's own index must not mean void in a packed label
    free = tuple(value for value in spec.void_values if n <= value <= 65534)
    free = free or (255 if n <= 255 else 65534,)
    return replace(spec, void_values=free, maps=()), free[0]
