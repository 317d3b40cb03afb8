"""CutMix, ClassMix and copy-paste: samples of one batch meet, image and label by the same mask.

Each sample's numbers decide whether, with which other, and where; which sample that other is
depends on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dali_voc._pasting import Pixels, as_pixels, copy, count, mask_of, paste
from dali_voc.config import AugmentConfig
from dali_voc.labels import find_classes

__all__ = ["Mixer"]

Floats = npt.NDArray[np.float32]

_GENERAL = 5  # numbers per sample beside one for each class


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

    def mix(
        self, images: torch.Tensor, labels: torch.Tensor, u: Floats, *, leave: Container[int] = ()
    ) -> None:
        """Mix a batch in place. What is pasted is what samples were before any was mixed.

        Args:
            images: [n, 3, height, width].
            labels: class indices [n, height, width].
            u: numbers in [0, 1), float32 [n, numbers].
            leave: which samples neither take nor give anything.
        """
        n = len(images)
        if n < 2:
            return
        batch = as_pixels(images), as_pixels(labels)
        planned: list[tuple[int, int, tuple[slice, slice] | Pixels]] = []
        for i, numbers in enumerate(u.astype(np.float64)):
            partner = (i + 1 + int(numbers[1] * (n - 1))) % n
            if i in leave or partner in leave:
                continue
            where = self._region(batch[1][partner], numbers)
            if where is not None:
                planned.append((i, partner, where))
        last_use = {partner: k for k, (_, partner, _) in enumerate(planned)}
        originals: dict[int, tuple[Pixels, ...]] = {}
        for k, (i, partner, where) in enumerate(planned):
            own = tuple(values[i] for values in batch)
            if last_use.get(i, 0) > k:
                originals[i] = tuple(copy(values) for values in own)
            other = originals.get(partner) or tuple(values[partner] for values in batch)
            for source, target in zip(other, own, strict=True):
                paste(source, target, where)

    def _region(
        self, label: Pixels, u: npt.NDArray[np.float64]
    ) -> tuple[slice, slice] | Pixels | None:
        """Return what a sample takes over of another, whose label that is; None: nothing."""
        if u[0] < self.cutmix:
            return _rectangle(tuple(label.shape), u[2:_GENERAL])
        if u[0] >= self.cutmix + self.classmix + self.copy_paste:
            return None
        counts = count(label)
        present = [
            c
            for c, pixels in enumerate(counts[: self.num_classes])
            if pixels and c != self.ignore_index
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
        is_taken = np.zeros(len(counts), np.bool_)
        is_taken[taken] = True
        return mask_of(label, is_taken)


def _rectangle(shape: tuple[int, ...], u: npt.NDArray[np.float64]) -> tuple[slice, slice]:
    """Return a rectangle of area u[0], about a uniformly drawn centre, cut at the border."""
    sides = []
    for size, place in zip(shape, u[1:].tolist(), strict=True):
        length = round(size * float(u[0]) ** 0.5)
        begin = int(place * size) - length // 2
        sides.append(slice(max(0, begin), max(0, begin + length)))
    return sides[0], sides[1]
