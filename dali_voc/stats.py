"""How often each class occurs in a split, the file that keeps it, and weights of a loss from it."""

from __future__ import annotations

import dataclasses
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field, TypeAdapter, ValidationError

from dali_voc._files import write_text
from dali_voc._first_difference import first_difference
from dali_voc._json_files import first_problem, read_json
from dali_voc.datasets import PairIndex
from dali_voc.errors import DatasetError

__all__ = ["ClassStats", "loss_weights"]

_VERSION = 1

Count = Annotated[int, Field(ge=0, lt=2**63)]


@dataclass(frozen=True, kw_only=True)
class ClassStats:
    """How often each class occurs in a split.

    Void pixels (VOC's border, and colours of no class where `labels.unknown` is "ignore") belong to
    no class.

    Attributes:
        dataset: name of the data set.
        split: name of the split.
        samples: which samples were counted, as `PairIndex.digest` says it.
        classes: the classes' names.
        pixels: pixels of each class.
        picture_pixels: for each class, the pixels of any class in the pictures that show it.
        void_pixels: pixels of no class.
        sample_classes: for each sample, in list order, which classes it shows, ascending.
        bad_files: labels that could not be read and count as showing nothing, with the reason.
        unlabeled: how many samples have no label, and count as showing nothing.
        meaning: what label values mean, as `PairIndex.meaning_digest` says it; empty: not known.
    """

    dataset: str
    split: str
    samples: str
    classes: tuple[str, ...]
    pixels: tuple[Count, ...]
    picture_pixels: tuple[Count, ...]
    void_pixels: Count
    sample_classes: tuple[tuple[Count, ...], ...]
    bad_files: tuple[str, ...] = ()
    unlabeled: Count = 0
    meaning: str = ""

    def __post_init__(self) -> None:
        n = len(self.classes)
        if len(self.pixels) != n or len(self.picture_pixels) != n:
            raise ValueError(f"expected one count for each of {n} classes")
        if any(c >= n for shown in self.sample_classes for c in shown):
            raise ValueError(f"expected class indices below {n}")
        if [p > 0 for p in self.pixels] != [p > 0 for p in self.pictures]:
            raise ValueError("expected pixels of the classes that samples show, and of no other")
        if any(p > q for p, q in zip(self.pixels, self.picture_pixels, strict=True)):
            raise ValueError("expected no more pixels of a class than its pictures have")

    @property
    def labels(self) -> int:
        """Number of samples that have a label."""
        return len(self.sample_classes) - self.unlabeled

    @property
    def pictures(self) -> tuple[int, ...]:
        """Number of pictures that show each class."""
        shown = [c for classes in self.sample_classes for c in classes]
        counts = np.bincount(np.array(shown, np.int64), minlength=len(self.classes))
        return tuple(counts.tolist())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of JSON, whole or not at all, one line per attribute.

        Raises:
            OSError: the folder is missing or not writable, or the disk is full.
        """
        values = {"version": _VERSION, **dataclasses.asdict(self)}
        lines = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in values.items())
        write_text(Path(path), f"{{\n{lines}\n}}\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ClassStats:
        """Read a file that `save` wrote.

        Raises:
            DatasetError: the file cannot be read, has another version, or is damaged.
        """
        values = read_json(Path(path), expected="the file that 'dali-voc stats CONFIG' writes")
        version = values.pop("version", None) if isinstance(values, dict) else None
        if version != _VERSION:
            raise DatasetError(
                f"{path}: found version {version!r} of class statistics, expected {_VERSION}; run "
                "'dali-voc stats CONFIG' again"
            )
        try:
            return _ADAPTER.validate_python(values)
        except ValidationError as e:
            raise DatasetError(
                f"{path}: damaged class statistics ({first_problem(e)}); run "
                "'dali-voc stats CONFIG' again"
            ) from None

    @classmethod
    def load_for(cls, path: str | os.PathLike[str], index: PairIndex, *, split: str) -> ClassStats:
        """Read a file that must be of these pairs, which are those of a split.

        Whether the labels are in the same files is not known.

        Raises:
            DatasetError: as in `load`, or the file is of another split, other samples, other
                classes, or labels whose values mean something else.
        """
        stats = cls.load(path)
        stats.check(path, index, split=split)
        return stats

    def check(self, path: str | os.PathLike[str], index: PairIndex, *, split: str) -> None:
        """Demand what `load_for` does of a file that has been read; errors name its path."""
        meaning = index.meaning_digest()
        for what, found, expected in (
            ("samples", self.samples, index.digest()),
            ("classes", self.classes, index.spec.classes),
            ("samples", len(self.sample_classes), len(index)),
            # pairs of another split may have the same names
            ("splits", self.split, split),
            ("label values", self.meaning or meaning, meaning),
        ):
            if found != expected:
                raise DatasetError(
                    f"{path}: class statistics of other {what} ({_differ(found, expected)}); "
                    "run 'dali-voc stats CONFIG' again"
                )


_ADAPTER = TypeAdapter(ClassStats)


def _differ(found: Any, expected: Any) -> str:
    if isinstance(found, tuple):
        here = first_difference(found, expected)
        return f"found {here[0]!r}, expected {here[1]!r}"
    return f"found {found}, expected {expected}"


def loss_weights(
    stats: ClassStats, *, method: Literal["inverse", "median"] = "inverse"
) -> torch.Tensor:
    """Return weights of the classes for a loss, such as `torch.nn.CrossEntropyLoss(weight=...)`.

    Args:
        stats: how often each class occurs.
        method: "inverse": 1 / (share of the pixels), scaled so that the mean over the classes that
            occur is 1. "median": median frequency balancing of Eigen and Fergus, 2015
            (https://arxiv.org/abs/1411.4734): the median of all freq(c) over freq(c), where freq(c)
            is the share of class c in the pixels of the pictures that show it. Void pixels do not
            count.

    Returns:
        float32 [classes] on the CPU; 0 for classes that do not occur.

    Raises:
        ValueError: there is no such method.
    """
    pixels = np.array(stats.pixels, np.float64)
    there = pixels > 0
    weights = np.zeros(len(pixels))
    if method == "inverse":
        inverse = 1 / pixels[there]
        weights[there] = inverse / _mean(inverse)
    elif method == "median":
        frequency = pixels[there] / np.array(stats.picture_pixels, np.float64)[there]
        weights[there] = np.median(frequency) / frequency if there.any() else 0.0
    else:
        raise ValueError(f"method: found {method!r}, expected 'inverse' or 'median'")
    return torch.from_numpy(weights.astype(np.float32))


def _mean(values: npt.NDArray[np.float64]) -> float:
    # exactly rounded, so that states of loaders agree across versions of NumPy
    return math.fsum(values.tolist()) / max(len(values), 1)
