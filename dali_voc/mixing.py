"""CutMix, ClassMix and copy-paste: samples of one batch meet, image and label by the same mask.

Each sample's numbers decide whether, with which other, and where; which sample that other is
depends on who else is in the batch.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from dali_voc._pasting import (
    Pixels,
    as_pixels,
    copy,
    find_present,
    mask_of,
    paste,
    rank,
    to_device,
)
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
        keys = to_device(u[:, _GENERAL:], batch[1])
        is_class, is_object = to_device(self._kinds, batch[1])
        planned: list[tuple[int, int, tuple[slice, slice] | Pixels]] = []
        for i, numbers in enumerate(u[:, :_GENERAL].astype(np.float64)):
            partner = (i + 1 + int(numbers[1] * (n - 1))) % n
            if i in leave or partner in leave:
                continue
            choice, label = numbers[0], batch[1][partner]
            if choice < self.cutmix:
                planned.append((i, partner, _rectangle(tuple(label.shape), numbers[2:])))
            elif choice < self.cutmix + self.classmix + self.copy_paste:
                present = find_present(label, self.num_classes) & is_class
                if choice < self.cutmix + self.classmix:
                    taken = _half(present, keys[i])
                else:
                    taken = _some(present & is_object, keys[i])
                planned.append((i, partner, mask_of(label, taken)))
        last_use = {partner: k for k, (_, partner, _) in enumerate(planned)}
        originals: dict[int, tuple[Pixels, ...]] = {}
        for k, (i, partner, where) in enumerate(planned):
            own = tuple(values[i] for values in batch)
            if last_use.get(i, 0) > k:
                originals[i] = tuple(copy(values) for values in own)
            other = originals.get(partner) or tuple(values[partner] for values in batch)
            for source, target in zip(other, own, strict=True):
                paste(source, target, where)

    @functools.cached_property
    def _kinds(self) -> npt.NDArray[np.bool_]:
        """Return which indices count as classes, and which as objects: bool [2, num_classes]."""
        indices = np.arange(self.num_classes)
        is_class = indices != self.ignore_index
        return np.stack([is_class, is_class & np.isin(indices, list(self.objects))])


# For arrays and tensors alike; the types of both together are beyond what can be said.


def _half(present: Any, keys: Any) -> Any:
    """Return half of the classes that are present, rounded up: those with the lowest keys."""
    return present & (_rank_of(present, keys) < (present.sum() + 1) // 2)


def _some(present: Any, keys: Any) -> Any:
    """Return those that are present with keys below 1/2, or the one with the lowest."""
    drawn = present & (keys < 0.5)
    lowest = present & (_rank_of(present, keys) == 0)
    return drawn | (lowest & (drawn.sum() == 0))


def _rank_of(among: Any, keys: Any) -> Any:
    return rank(keys + 2.0 * ~among)  # no key is 1 or above


def _rectangle(shape: tuple[int, ...], u: npt.NDArray[np.float64]) -> tuple[slice, slice]:
    """Return a rectangle of area u[0], about a uniformly drawn centre, cut at the border."""
    sides = []
    for size, place in zip(shape, u[1:].tolist(), strict=True):
        length = round(size * float(u[0]) ** 0.5)
        begin = int(place * size) - length // 2
        sides.append(slice(max(0, begin), max(0, begin + length)))
    return sides[0], sides[1]
