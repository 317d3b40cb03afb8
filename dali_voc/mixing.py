"""CutMix, ClassMix and copy-paste: samples of one batch meet, image and label by the same mask.

Each sample's numbers decide whether, with which other, and where; which sample that other is
depends on who else is in the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.config import AugmentConfig
from dali_voc.errors import ConfigError

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
        names = augment.copy_paste_classes
        unknown = [name for name in names or () if name not in classes]
        if unknown:
            raise ConfigError(
                f"augment.copy_paste_classes: found {unknown[0]!r}, expected of: "
                f"{', '.join(classes)}"
            )
        if augment.cutmix + augment.classmix + augment.copy_paste == 0:
            return None
        taken = range(1, len(classes)) if names is None else map(classes.index, names)
        return cls(
            cutmix=augment.cutmix,
            classmix=augment.classmix,
            copy_paste=augment.copy_paste,
            objects=frozenset(taken),
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
        pasted = []
        for i, numbers in enumerate(u.astype(np.float64)):
            partner = (i + 1 + int(numbers[1] * (n - 1))) % n
            mask = self._mask(labels[partner], numbers)
            if mask is not None:
                # indexing by a mask copies
                pasted.append((i, mask, images[partner][:, mask], labels[partner][mask]))
        for i, mask, colors, classes in pasted:
            images[i][:, mask] = colors
            labels[i][mask] = classes

    def _mask(self, label: torch.Tensor, u: npt.NDArray[np.float64]) -> torch.Tensor | None:
        """Return which pixels of the partner are taken, bool [height, width]."""
        choice = u[0]
        if choice < self.cutmix:
            return _rectangle(label, u[2:_GENERAL])
        if choice < self.cutmix + self.classmix:
            present = self._present(label)
            by_key = sorted(present, key=lambda c: (u[_GENERAL + c], c))
            return _pixels_of(label, by_key[: (len(present) + 1) // 2])
        if choice < self.cutmix + self.classmix + self.copy_paste:
            present = [c for c in self._present(label) if c in self.objects]
            if not present:
                return None
            chosen = [c for c in present if u[_GENERAL + c] < 0.5]
            return _pixels_of(label, chosen or [min(present, key=lambda c: u[_GENERAL + c])])
        return None

    def _present(self, label: torch.Tensor) -> list[int]:
        values: list[int] = torch.unique(label).tolist()
        return [c for c in values if c < self.num_classes and c != self.ignore_index]


def _rectangle(label: torch.Tensor, u: npt.NDArray[np.float64]) -> torch.Tensor:
    """Return a rectangle of area u[0], about a uniformly drawn centre, cut at the border."""
    mask = torch.zeros_like(label, dtype=torch.bool)
    sides = []
    for size, place in zip(label.shape, u[1:].tolist(), strict=True):
        length = round(size * float(u[0]) ** 0.5)
        begin = int(place * size) - length // 2
        sides.append(slice(max(0, begin), max(0, begin + length)))
    mask[tuple(sides)] = True
    return mask


def _pixels_of(label: torch.Tensor, classes: list[int]) -> torch.Tensor:
    wanted = torch.tensor(classes, dtype=label.dtype, device=label.device)
    return torch.isin(label, wanted)
