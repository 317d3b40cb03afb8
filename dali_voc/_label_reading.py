"""What is made of labels, from the data set's classes and section `labels`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dali_voc.config import LabelsConfig
from dali_voc.labels import LabelDtype, LabelSpec, LabelTables

__all__ = ["LabelReading"]


@dataclass(frozen=True, kw_only=True)
class LabelReading:
    """How the label operator makes class indices of labels.

    Attributes:
        tables: what colours and values mean, in each of the sources.
        num_classes: length of the class list.
        palette: whether palettes are read by colour or by index.
        unknown: index of what is in no table, or an error.
        ignore_index: index of void pixels and of padding.
        unlabeled: index of all pixels of pictures without a label.
        dtype: of the indices.
    """

    tables: tuple[LabelTables, ...]
    num_classes: int
    palette: Literal["auto", "color", "index"]
    unknown: int | Literal["error"]
    ignore_index: int
    unlabeled: int
    dtype: LabelDtype

    @classmethod
    def of(
        cls,
        spec: LabelSpec,
        labels: LabelsConfig,
        *,
        ignore_index: int | None = None,
        dtype: LabelDtype | None = None,
    ) -> LabelReading:
        """Put together how labels are read.

        Args:
            spec: the data set's.
            labels: `palette`, `unknown`, `ignore_index` and `unlabeled_index` are used.
            ignore_index: in place of both of the configuration's indices.
            dtype: None: uint8, or int32 where that does not hold all indices.
        """
        unlabeled = ignore_index
        if ignore_index is None:
            ignore_index, unlabeled = labels.ignore_index, labels.unlabeled_index
        unlabeled = ignore_index if unlabeled is None else unlabeled
        num_classes = len(spec.classes)
        largest = max(num_classes - 1, ignore_index, unlabeled)
        narrowest: LabelDtype = "uint8" if largest <= 255 else "int32"
        return cls(
            tables=LabelTables.build(spec, ignore_index=ignore_index),
            num_classes=num_classes,
            palette=labels.palette,
            unknown="error" if labels.unknown == "error" else ignore_index,
            ignore_index=ignore_index,
            unlabeled=unlabeled,
            dtype=dtype or narrowest,
        )
