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

from dali_voc._pasting import Pastes, paste_by_numpy, paste_by_torch, rank
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
        pastes = self._plan(u, (labels.shape[1], labels.shape[2]), leave)
        if len(pastes.targets) == 0:
            return
        paste = paste_by_numpy if labels.device.type == "cpu" else paste_by_torch
        paste(images, labels, pastes, _choose)

    def _plan(self, u: Floats, shape: tuple[int, int], leave: Container[int]) -> Pastes:
        """Return who gets pixels of whom in a batch of labels [len(u), *shape]."""
        n = len(u)
        planned: list[tuple[int, int, str, tuple[int, int, int, int]]] = []
        for i, numbers in enumerate(u[:, :_GENERAL].astype(np.float64) if n > 1 else ()):
            partner = (i + 1 + int(numbers[1] * (n - 1))) % n
            if i in leave or partner in leave:
                continue
            choice = numbers[0]
            if choice < self.cutmix:
                planned.append((i, partner, "rectangle", _rectangle(shape, numbers[2:])))
            elif choice < self.cutmix + self.classmix:
                planned.append((i, partner, "half", (0, 0, 0, 0)))
            elif choice < self.cutmix + self.classmix + self.copy_paste:
                planned.append((i, partner, "objects", (0, 0, 0, 0)))
        kinds = np.array([kind for _, _, kind, _ in planned], "U9")
        targets = np.array([i for i, _, _, _ in planned], np.int64)
        return Pastes(
            targets=targets,
            partners=np.array([partner for _, partner, _, _ in planned], np.int64),
            rectangles=np.array([sides for *_, sides in planned], np.int64).reshape(-1, 4),
            by_class=kinds != "rectangle",
            keys=u[targets, _GENERAL:],
            allowed=np.where((kinds == "objects")[:, None], self._is_object, self._is_class),
            takes_half=kinds == "half",
        )

    @functools.cached_property
    def _is_class(self) -> npt.NDArray[np.bool_]:
        is_class: npt.NDArray[np.bool_] = np.arange(self.num_classes) != self.ignore_index
        return is_class

    @functools.cached_property
    def _is_object(self) -> npt.NDArray[np.bool_]:
        return self._is_class & np.isin(np.arange(self.num_classes), list(self.objects))


# For arrays and tensors alike, of one row or several; types of both together are beyond words.


def _choose(present: Any, keys: Any, takes_half: Any) -> Any:
    """Return which of the classes that are present are taken."""
    half = takes_half[..., None]
    return (_half(present, keys) & half) | (_some(present, keys) & ~half)


def _half(present: Any, keys: Any) -> Any:
    """Return half of the classes that are present, rounded up: those with the lowest keys."""
    return present & (_rank_of(present, keys) < ((present.sum(-1) + 1) // 2)[..., None])


def _some(present: Any, keys: Any) -> Any:
    """Return those that are present with keys below 1/2, or the one with the lowest."""
    drawn = present & (keys < 0.5)
    lowest = present & (_rank_of(present, keys) == 0)
    return drawn | (lowest & (drawn.sum(-1) == 0)[..., None])


def _rank_of(among: Any, keys: Any) -> Any:
    return rank(keys + 2.0 * ~among)  # no key is 1 or above


def _rectangle(shape: tuple[int, int], u: npt.NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return a rectangle of area u[0], about a uniformly drawn centre, cut at the border.

    First and last row, first and last column, the last ones excluded.
    """
    sides = []
    for size, place in zip(shape, u[1:].tolist(), strict=True):
        length = round(size * float(u[0]) ** 0.5)
        begin = int(place * size) - length // 2
        sides += [max(0, begin), max(0, begin + length)]
    return sides[0], sides[1], sides[2], sides[3]
