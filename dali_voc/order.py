"""Which sample is read when, and on which rank: pure functions, no state.

An epoch is one list of samples, shuffled or not. Step t takes the next `batch_size * world_size`
of it, dealt out to the ranks like cards: rank r gets positions r, r + world_size, ... of the step.
So whatever the number of ranks, what has been delivered after a step is a beginning of the list.

With N = 11 samples a..k, 4 ranks and batches of 2, the second step has 3 samples left:

| last_batch | rank 0  | rank 1  | rank 2  | rank 3  | promise                                     |
| ---------- | ------- | ------- | ------- | ------- | ------------------------------------------- |
| drop       | a e     | b f     | c g     | d h     | full batches only; no sample twice          |
| pad        | a e,i b | b f,j c | c g,k d | d h,a e | full batches only; each sample at least once|
| partial    | a e, i  | b f, j  | c g, k  | d h, a  | each sample once, but see below             |

Every rank gets the same number of batches, and never an empty one. To keep that, `partial` has to
repeat samples from the epoch's beginning where fewer are left than there are ranks: at most
`world_size - 1` of them, and none on a single rank.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from dali_voc.randomness import shuffle_keys

__all__ = ["LastBatch", "batch_positions", "epoch_order", "num_batches", "num_positions"]

LastBatch = Literal["drop", "pad", "partial"]


def epoch_order(*, num_samples: int, shuffle: bool, seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """Return the epoch's list of samples, int64 of shape [num_samples]."""
    if not shuffle:
        return np.arange(num_samples, dtype=np.int64)
    keys = shuffle_keys(seed=seed, epoch=epoch, num_samples=num_samples)
    return np.argsort(keys, kind="stable").astype(np.int64)


def num_positions(
    *, num_samples: int, batch_size: int, world_size: int, last_batch: LastBatch
) -> int:
    """Return how many samples all ranks together deliver in an epoch."""
    step = batch_size * world_size
    rest = num_samples % step
    if last_batch == "drop" or rest == 0:
        return num_samples - rest
    if last_batch == "pad":
        return num_samples - rest + step
    return num_samples - rest + max(rest, world_size)


def num_batches(
    *, num_samples: int, batch_size: int, world_size: int, last_batch: LastBatch
) -> int:
    """Return the number of batches of an epoch, the same on every rank."""
    positions = num_positions(
        num_samples=num_samples,
        batch_size=batch_size,
        world_size=world_size,
        last_batch=last_batch,
    )
    return -(-positions // (batch_size * world_size))


def batch_positions(
    *,
    step: int,
    num_samples: int,
    batch_size: int,
    rank: int,
    world_size: int,
    last_batch: LastBatch,
) -> npt.NDArray[np.int64]:
    """Return the places, in the epoch's list, of one rank's batch: int64 of shape [batch size].

    Places past the end of the list stand for its beginning and are returned as such.

    Args:
        step: from 0 to `num_batches` - 1.
        num_samples: length of the epoch's list.
        batch_size: samples per batch and rank.
        rank: from 0 to `world_size` - 1.
        world_size: number of ranks.
        last_batch: what happens where the last step is not full; see the module's table.
    """
    total = num_positions(
        num_samples=num_samples,
        batch_size=batch_size,
        world_size=world_size,
        last_batch=last_batch,
    )
    first = step * batch_size * world_size + rank
    places = first + world_size * np.arange(batch_size, dtype=np.int64)
    return places[places < total] % num_samples
