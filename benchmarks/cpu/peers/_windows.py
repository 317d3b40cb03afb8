"""Where a sample is cut: what every peer draws, and how it takes the samples in turn."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from dali_voc.config import Config
from dali_voc.datasets import PairIndex, find_index

__all__ = ["Window", "draw_window", "find_pairs", "shuffled_batches"]


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of a picture, in pixels, and whether it is mirrored."""

    top: int
    left: int
    height: int
    width: int
    flip: bool

    @property
    def rows(self) -> slice:
        """The rows of the picture."""
        return slice(self.top, self.top + self.height)

    @property
    def columns(self) -> slice:
        """The columns of the picture."""
        return slice(self.left, self.left + self.width)


def draw_window(height: int, width: int, crop: tuple[int, int]) -> Window:
    """Draw a window, at most as large as the picture, by Python's global generator."""
    visible = min(height, crop[0]), min(width, crop[1])
    return Window(
        top=int(random.random() * (height - visible[0] + 1)),
        left=int(random.random() * (width - visible[1] + 1)),
        height=visible[0],
        width=visible[1],
        flip=random.random() < 0.5,
    )


def find_pairs(config: Config, split: str) -> PairIndex:
    """Return the pairs of a split."""
    return find_index(config.dataset, split)


def shuffled_batches(*, num_samples: int, batch_size: int, seed: int) -> Iterator[list[int]]:
    """Yield lists of samples without end: each epoch in a new order, its last batch short."""
    rng = random.Random(seed)
    order = list(range(num_samples))
    while True:
        rng.shuffle(order)
        for first in range(0, num_samples, batch_size):
            yield order[first : first + batch_size]
