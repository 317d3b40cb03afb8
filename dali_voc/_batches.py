"""What a batch consists of before anything is read: samples, crop positions, flips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dali_voc._ranks import Ranks
from dali_voc.config import Config
from dali_voc.order import LastBatch, batch_positions, epoch_order, num_batches
from dali_voc.randomness import Stream, uniform

__all__ = ["Batch", "BatchPlan"]


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One rank's batch.

    Attributes:
        epoch: from 0.
        step: number of the batch in the epoch, from 0.
        samples: sample indices, int64 [n].
        position: (y, x) of the crop among its possible places, each in [0, 1), float32 [n, 2].
        flip: 1 where the crop is mirrored, int32 [n].
    """

    epoch: int
    step: int
    samples: npt.NDArray[np.int64]
    position: npt.NDArray[np.float32]
    flip: npt.NDArray[np.int32]


@dataclass(frozen=True, kw_only=True)
class BatchPlan:
    """All batches of all epochs, as a pure function of these values.

    Attributes:
        num_samples: length of the data set.
        batch_size: samples per batch and rank.
        last_batch: see `dali_voc.order`.
        ranks: which rank's batches.
        training: shuffle, crop at random and flip; else in order, at the centre and unflipped.
        seed: of order, crops and flips.
        flip: share of samples mirrored.
    """

    num_samples: int
    batch_size: int
    last_batch: LastBatch
    ranks: Ranks
    training: bool
    seed: int
    flip: float

    @classmethod
    def from_config(
        cls, config: Config, *, num_samples: int, training: bool, ranks: Ranks | None = None
    ) -> BatchPlan:
        """Take what the configuration says."""
        return cls(
            num_samples=num_samples,
            batch_size=config.loader.batch_size,
            last_batch=config.loader.last_batch,
            ranks=ranks or Ranks(),
            training=training,
            seed=config.loader.seed,
            flip=config.augment.flip,
        )

    def num_batches(self) -> int:
        """Return the number of batches of an epoch."""
        return num_batches(
            num_samples=self.num_samples,
            batch_size=self.batch_size,
            world_size=self.ranks.world_size,
            last_batch=self.last_batch,
        )

    def from_here(self, epoch: int, step: int) -> Iterator[Batch]:
        """Yield the batches from one on, epoch after epoch, without end."""
        while True:
            order = epoch_order(
                num_samples=self.num_samples, shuffle=self.training, seed=self.seed, epoch=epoch
            )
            for current in range(step, self.num_batches()):
                places = batch_positions(
                    step=current,
                    num_samples=self.num_samples,
                    batch_size=self.batch_size,
                    rank=self.ranks.rank,
                    world_size=self.ranks.world_size,
                    last_batch=self.last_batch,
                )
                yield self._batch(epoch, current, order[places])
            epoch, step = epoch + 1, 0

    def _batch(self, epoch: int, step: int, samples: npt.NDArray[np.int64]) -> Batch:
        n = len(samples)
        if self.training:
            seed = self.seed
            crop = uniform(seed=seed, epoch=epoch, samples=samples, stream=Stream.CROP)[:, :2]
            coin = uniform(seed=seed, epoch=epoch, samples=samples, stream=Stream.FLIP)[:, 0]
            flip = (coin < self.flip).astype(np.int32)
        else:
            crop = np.full((n, 2), 0.5, np.float32)
            flip = np.zeros(n, np.int32)
        return Batch(
            epoch=epoch, step=step, samples=samples, position=np.ascontiguousarray(crop), flip=flip
        )
