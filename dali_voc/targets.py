"""The form in which labels are handed out: class indices, one-hot, or masks of single classes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch

from dali_voc.config import LabelsConfig
from dali_voc.labels import find_classes

__all__ = ["LabelEncoder"]


# copied once: the host waits for what it copies to a GPU
@functools.lru_cache(maxsize=16)
def _on_device(classes: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.tensor(classes, dtype=dtype, device=device)


@dataclass(frozen=True, kw_only=True)
class LabelEncoder:
    """Turns class indices into planes of 0 and 1.

    Attributes:
        classes: the class of each plane.
        ignore_index: of the class indices.
        keep_ignored: ignored pixels are `ignore_index` in every plane; else 0.
    """

    classes: tuple[int, ...]
    ignore_index: int
    keep_ignored: bool

    @classmethod
    def from_config(cls, labels: LabelsConfig, classes: tuple[str, ...]) -> LabelEncoder | None:
        """Return what the configuration asks for, None for class indices.

        Raises:
            ConfigError: `masks` names an unknown class.
        """
        if labels.masks is not None:
            wanted = find_classes(labels.masks, classes, key="labels.masks")
        elif labels.one_hot:
            wanted = tuple(range(len(classes)))
        else:
            return None
        return cls(
            classes=wanted,
            ignore_index=labels.ignore_index,
            keep_ignored=labels.masks is not None,
        )

    def encode(self, labels: torch.Tensor) -> torch.Tensor:
        """Return planes [n, planes, height, width] for class indices [n, height, width]."""
        n, height, width = labels.shape
        planes = labels.new_empty((n, len(self.classes), height, width))
        wanted = _on_device(self.classes, labels.dtype, labels.device)
        torch.eq(labels[:, None], wanted.view(1, -1, 1, 1), out=planes)
        if self.keep_ignored:
            planes.masked_fill_((labels == self.ignore_index)[:, None], self.ignore_index)
        elif self.ignore_index in self.classes:
            planes[:, self.classes.index(self.ignore_index)] = 0
        return planes
