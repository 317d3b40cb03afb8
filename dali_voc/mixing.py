"""CutMix, ClassMix and copy-paste: samples of one batch meet, image and label by the same mask.

Each sample's numbers decide whether, with which other, and where; which sample that other is
depends on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.config import AugmentConfig
from dali_voc.labels import find_classes

__all__ = ["Mixer"]

Floats = npt.NDArray[np.float32]

_GENERAL = 5  # numbers per sample beside one for each class
_EVERYWHERE = (slice(None), slice(None))


@dataclass(frozen=True, kw_only=True)
class Mixer:
    """Mixes batches.

    Attributes:
        cutmix: share of samples with a rectangle of another. Its area is uniformly distributed,
            before it is cut at the border (Yun et al., ICCV 2019, with alpha 1).
        classmix: share with the pixels of half of the classes, rounded up, that another's label
            shows (Olsson et al., WACV 2021).
        copy_paste: share with the pixels of a random selection of the object classes that another's
            label shows, each with probability 1/2, at least one (Ghiasi et al., CVPR 2021, with
            classes in place of instances).
        objects: class indices that copy-paste takes.
        num_classes: length of the class list.
        ignore_index: no class, even if its number is below that.
    """

    cutmix: float
    classmix: float
    copy_paste: float
    objects: frozenset[int]
    num_classes: int
    ignore_index: int

    @classmethod
    def from_config(
        cls, augment: AugmentConfig, classes: tuple[str, ...], *, ignore_index: int
    ) -> Mixer | None:
        """Return what the configuration asks for, None where it asks for nothing.

        Raises:
            ConfigError: `copy_paste_classes` names an unknown class.
        """
        objects: Sequence[int] = range(1, len(classes))
        if augment.copy_paste_classes is not None:
            objects = find_classes(
                augment.copy_paste_classes, classes, key="augment.copy_paste_classes"
            )
        if augment.cutmix + augment.classmix + augment.copy_paste == 0:
            return None
        return cls(
            cutmix=augment.cutmix,
            classmix=augment.classmix,
            copy_paste=augment.copy_paste,
            objects=frozenset(objects),
            num_classes=len(classes),
            ignore_index=ignore_index,
        )

    @property
    def numbers(self) -> int:
        """How many random numbers a sample needs."""
        return _GENERAL + self.num_classes

    def mix(self, images: torch.Tensor, labels: torch.Tensor, u: Floats) -> None:
        """Mix a batch in place. What is pasted is what samples were before any was mixed.

        Args:
            images: [n, 3, height, width].
            labels: class indices [n, height, width].
            u: numbers in [0, 1), float32 [n, numbers].
        """
        n = len(images)
        if n < 2:
            return
        mixed: list[tuple[int, tuple[slice, slice], torch.Tensor, torch.Tensor]] = []
        for i, numbers in enumerate(u.astype(np.float64)):
            partner = (i + 1 + int(numbers[1] * (n - 1))) % n
            choice, both = numbers[0], (images[partner], labels[partner])
            if choice < self.cutmix:
                where = _rectangle(labels.shape[1:], numbers[2:_GENERAL])
                colors, classes = (whole[(..., *where)].clone() for whole in both)
                mixed.append((i, where, colors, classes))
                continue
            mask = self._mask(labels[partner], numbers)
            if mask is not None:
                own = images[i], labels[i]
                colors, classes = (torch.where(mask, *pair) for pair in zip(both, own, strict=True))
                mixed.append((i, _EVERYWHERE, colors, classes))
        for i, where, colors, classes in mixed:
            images[i][(..., *where)] = colors
            labels[i][where] = classes

    def _mask(self, label: torch.Tensor, u: npt.NDArray[np.float64]) -> torch.Tensor | None:
        """Return which pixels of the partner are taken by their class, bool [height, width]."""
        if u[0] >= self.cutmix + self.classmix + self.copy_paste:
            return None
        counts = torch.bincount(label.flatten())
        present = [
            c
            for c in torch.nonzero(counts).flatten().tolist()
            if c < self.num_classes and c != self.ignore_index
        ]
        if u[0] < self.cutmix + self.classmix:
            by_key = sorted(present, key=lambda c: (u[_GENERAL + c], c))
            taken = by_key[: (len(present) + 1) // 2]
        else:
            objects = [c for c in present if c in self.objects]
            taken = [c for c in objects if u[_GENERAL + c] < 0.5]
            if objects and not taken:
                taken = [min(objects, key=lambda c: u[_GENERAL + c])]
        if not taken:
            return None
        is_taken = torch.zeros(len(counts), dtype=torch.bool)
        is_taken[taken] = True
        return is_taken.to(label.device)[label.long()]


def _rectangle(shape: tuple[int, ...], u: npt.NDArray[np.float64]) -> tuple[slice, slice]:
    """Return a rectangle of area u[0], about a uniformly drawn centre, cut at the border."""
    sides = []
    for size, place in zip(shape, u[1:].tolist(), strict=True):
        length = round(size * float(u[0]) ** 0.5)
        begin = int(place * size) - length // 2
        sides.append(slice(max(0, begin), max(0, begin + length)))
    return sides[0], sides[1]
