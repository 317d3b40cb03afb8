"""Which sample is read when, and on which rank: pure functions, no state.

An epoch is one list of samples: in order, shuffled, or drawn with replacement by weight; in
training of any length, so that samples may come several times, or not in every epoch. Step t
takes the next `batch_size * world_size` of it, dealt out to the ranks like cards: rank r gets
positions r, r + world_size, ... of the step. So whatever the number of ranks, what has been
delivered after a step is a beginning of the list, and another number of ranks can go on from there:
`start` is where.

With N = 11 samples a..k, 4 ranks and batches of 2, the second step has 3 samples left:

| last_batch | rank 0   | rank 1   | rank 2   | rank 3   | promise                              |
| ---------- | -------- | -------- | -------- | -------- | ------------------------------------ |
| drop       | a e      | b f      | c g      | d h      | full batches only; none twice        |
| pad        | a e, i b | b f, j c | c g, k d | d h, a e | full batches only; all at least once |
| partial    | a e, i   | b f, j   | c g, k   | d h, a   | all once, but for what follows       |

Every rank gets the same number of batches, and never an empty one. To keep that, `partial` has to
repeat samples from the epoch's beginning where fewer are left than there are ranks: at most
`world_size - 1` of them, and none on a single rank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dali_voc.randomness import draws, shuffle_keys

__all__ = ["Deal", "LastBatch", "epoch_order", "occurrences", "weighted_order"]

LastBatch = Literal["drop", "pad", "partial"]


def epoch_order(
    *, num_samples: int, shuffle: bool, seed: int, epoch: int, length: int | None = None
) -> npt.NDArray[np.int64]:
    """Return the epoch's list.

    Args:
        num_samples: how many samples there are.
        shuffle: in an order of this epoch's own, else as they are listed.
        seed: of the run.
        epoch: from 0.
        length: of the list. All samples come, in an order of their own, before any comes again;
            a list that is shorter has some of them. None: each comes once.

    Returns:
        int64 [length].
    """
    length = num_samples if length is None else length
    rounds = range(-(-length // num_samples))
    if not shuffle:
        orders = [np.arange(num_samples, dtype=np.int64) for _ in rounds]
    else:
        keys = [
            shuffle_keys(seed=seed, epoch=epoch, num_samples=num_samples, occurrence=one)
            for one in rounds
        ]
        orders = [_places_in_order(of_one) for of_one in keys]
    return np.concatenate(orders)[:length]


def _places_in_order(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return `np.argsort(keys, kind="stable")`, which takes longer and matters where two agree."""
    order = np.argsort(keys)
    in_order = keys[order]
    if (in_order[1:] == in_order[:-1]).any():
        order = np.argsort(keys, kind="stable")
    return order.astype(np.int64, copy=False)


def weighted_order(
    *, weights: npt.NDArray[np.float64], seed: int, epoch: int, length: int | None = None
) -> npt.NDArray[np.int64]:
    """Return an epoch's list drawn with replacement, int64 [length], by default of all weights'.

    Each place is drawn by itself: sample i with probability `weights[i] / sum(weights)`.
    """
    edges = np.cumsum(weights)
    edges /= edges[-1]
    places = draws(seed=seed, epoch=epoch, num=len(weights) if length is None else length)
    # neighbours in this order are found near each other, which is several times as fast
    ascending = np.argsort(places)
    drawn = np.empty(len(places), np.int64)
    drawn[ascending] = np.searchsorted(edges, places[ascending], side="right")
    return drawn


def occurrences(order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return, for each place of a list, how often its sample stands before it.

    Args:
        order: sample indices, int64 [n].

    Returns:
        int64 [n]; all zeros where each sample comes once.
    """
    by_sample = np.argsort(order, kind="stable")
    ordered = order[by_sample]
    first = np.r_[True, ordered[1:] != ordered[:-1]]
    begin = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    counts = np.empty_like(order)
    counts[by_sample] = np.arange(len(order)) - begin
    return counts


@dataclass(frozen=True, kw_only=True)
class Deal:
    """How an epoch's list is dealt out to ranks and batches; see the module's table.

    Attributes:
        length: of the epoch's list.
        batch_size: samples per batch and rank.
        world_size: number of ranks.
        last_batch: what happens where the last step is not full.
        start: how much of the list has been delivered before the first step, by any ranks.
    """

    length: int
    batch_size: int
    world_size: int
    last_batch: LastBatch
    start: int = 0

    @property
    def step_size(self) -> int:
        """Samples of all ranks' batches of one step."""
        return self.batch_size * self.world_size

    def num_positions(self) -> int:
        """Return how many samples all ranks together deliver."""
        left = self.length - self.start
        rest = left % self.step_size
        if self.last_batch == "drop" or rest == 0:
            return left - rest
        if self.last_batch == "pad":
            return left - rest + self.step_size
        return left - rest + max(rest, self.world_size)

    def num_batches(self) -> int:
        """Return the number of batches, the same on every rank."""
        return -(-self.num_positions() // self.step_size)

    def places(self, *, step: int, rank: int) -> npt.NDArray[np.int64]:
        """Return the places in the list of one rank's batch, int64 of shape [batch size].

        Places past the end of the list stand for its beginning.

        Args:
            step: from 0 to `num_batches()` - 1.
            rank: from 0 to `world_size` - 1.
        """
        first = step * self.step_size + rank
        places = first + self.world_size * np.arange(self.batch_size, dtype=np.int64)
        return self.start + places[places < self.num_positions()]

    def delivered(self, *, steps: int) -> int:
        """Return how much of the list has been delivered after some steps, all of it at the end.

        What `drop` leaves out counts as delivered once the epoch is over.
        """
        if steps >= self.num_batches():
            return self.length
        return self.start + steps * self.step_size
