"""What a batch consists of before anything is read: samples, crop positions, flips."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from dali_voc._ranks import Ranks
from dali_voc._substitutes import Substitutes
from dali_voc.augment import draw_parameters
from dali_voc.config import AugmentConfig, Config
from dali_voc.order import Deal, LastBatch, epoch_order, occurrences, weighted_order
from dali_voc.randomness import Stream, uniform

__all__ = ["Batch", "BatchKey", "BatchPlan"]

_DRAWN_TOGETHER = 2048  # samples
_Parameters = dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]]


@dataclass(frozen=True, kw_only=True)
class BatchKey:
    """Which batch.

    Attributes:
        epoch: from 0.
        start: how much of the epoch's list had been delivered where this run took it up.
        step: number of the batch from there, from 0.
    """

    epoch: int
    start: int = 0
    step: int = 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """One rank's batch.

    Attributes:
        key: which batch.
        planned: sample indices, int64 [n].
        samples: the same, but for stand-ins of bad samples: what is read.
        parameters: of the augmentations of `planned`, see `dali_voc.augment.draw_parameters`; a
            stand-in has those of whom it stands for.
        mixing: numbers for `dali_voc.mixing.Mixer`, float32 [n, as many as it needs].
    """

    key: BatchKey
    planned: npt.NDArray[np.int64]
    samples: npt.NDArray[np.int64]
    parameters: _Parameters
    mixing: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchPlan:
    """All batches of all epochs, as a pure function of these values.

    Attributes:
        num_samples: length of the data set.
        batch_size: samples per batch and rank.
        last_batch: see `dali_voc.order`.
        ranks: which rank's batches.
        training: shuffle, crop at random and flip; else in order, at the centre and unflipped.
        seed: of order, crops and flips.
        augment: what happens to a sample on the way.
        weights: of the samples, float64 [num_samples], to draw with replacement in training.
        length: of an epoch of training, in samples; None: as many as there are.
        crops: of each sample in training, neighbours in the batch; `batch_size` is a multiple.
        mixing_numbers: how many numbers `Batch.mixing` has per sample.
    """

    num_samples: int
    batch_size: int
    last_batch: LastBatch
    ranks: Ranks
    training: bool
    seed: int
    augment: AugmentConfig
    weights: npt.NDArray[np.float64] | None = None
    length: int | None = None
    crops: int = 1
    mixing_numbers: int = 0

    @classmethod
    def from_config(
        cls,
        config: Config,
        *,
        num_samples: int,
        training: bool,
        ranks: Ranks | None = None,
        weights: npt.NDArray[np.float64] | None = None,
        mixing_numbers: int = 0,
    ) -> BatchPlan:
        """Take what the configuration says."""
        return cls(
            num_samples=num_samples,
            batch_size=config.loader.batch_size,
            last_batch=config.loader.last_batch,
            ranks=ranks or Ranks(),
            training=training,
            seed=config.loader.seed,
            augment=config.augment if training else config.augment.without_chance(),
            weights=weights,
            length=config.sampling.epoch_length if training else None,
            crops=config.sampling.crops if training else 1,
            mixing_numbers=mixing_numbers if training else 0,
        )

    @property
    def epoch_length(self) -> int:
        """Samples of a whole epoch, over all ranks."""
        return self.num_samples if self.length is None else self.length

    def deal(self, start: int = 0) -> Deal:
        """Return how an epoch, or what is left of it, is dealt out."""
        return Deal(
            length=self.epoch_length,
            batch_size=self.batch_size // self.crops,
            world_size=self.ranks.world_size,
            last_batch=self.last_batch,
            start=start,
        )

    def from_here(self, key: BatchKey, substitutes: Substitutes) -> Iterator[Batch]:
        """Yield the batches from one on, epoch after epoch, without end."""
        epoch, start, step = key.epoch, key.start, key.step
        while True:
            deal = self.deal(start)
            order = self._order(epoch)
            drawn = self.training and self.weights is not None
            again_within = drawn or len(order) > self.num_samples
            before = occurrences(order) if again_within else np.zeros_like(order)
            steps = deal.num_batches()
            for first in range(step, steps, self._together):
                group = range(first, min(first + self._together, steps))
                places = [deal.places(step=one, rank=self.ranks.rank) for one in group]
                again, at = np.divmod(np.concatenate(places), len(order))
                planned, repeated = order[at], before[at]
                # the beginning once more: with crops of its own, where it is to be trained on
                if self.last_batch == "pad" and again.any():
                    times = np.bincount(order, minlength=self.num_samples)
                    repeated = repeated + np.multiply(again, times[planned], dtype=np.int64)
                planned = np.repeat(planned, self.crops)
                each = np.arange(len(planned)) % self.crops
                repeated = np.repeat(repeated, self.crops) * self.crops + each
                # in validation who stands in is the same in each pass, too
                samples = substitutes.apply(epoch if self.training else 0, planned)
                # a stand-in has the numbers of whom it stands for: its own come in this epoch, too
                parameters, mixing = self._draw(epoch, planned, repeated)
                begin = 0
                for one, positions in zip(group, places, strict=True):
                    part = slice(begin, begin := begin + len(positions) * self.crops)
                    yield Batch(
                        key=BatchKey(epoch=epoch, start=start, step=one),
                        planned=planned[part],
                        samples=samples[part],
                        parameters={name: array[part] for name, array in parameters.items()},
                        mixing=mixing[part],
                    )
            epoch, start, step = epoch + 1, 0, 0

    def _order(self, epoch: int) -> npt.NDArray[np.int64]:
        if self.weights is not None and self.training:
            return weighted_order(
                weights=self.weights, seed=self.seed, epoch=epoch, length=self.epoch_length
            )
        return epoch_order(
            num_samples=self.num_samples,
            shuffle=self.training,
            seed=self.seed,
            epoch=epoch,
            length=self.epoch_length,
        )

    @property
    def _together(self) -> int:
        """Batches whose numbers are drawn at once: each drawing has a cost of its own."""
        return max(1, _DRAWN_TOGETHER // self.batch_size)

    def _draw(
        self, epoch: int, samples: npt.NDArray[np.int64], occurrence: npt.NDArray[np.int64]
    ) -> tuple[_Parameters, npt.NDArray[np.float32]]:
        """Return parameters and mixing numbers of some samples."""
        parameters = draw_parameters(
            self.augment,
            training=self.training,
            seed=self.seed,
            epoch=epoch,
            samples=samples,
            occurrence=occurrence,
        )
        mixing = np.empty((len(samples), 0), np.float32)
        if self.mixing_numbers:
            mixing = uniform(
                seed=self.seed,
                epoch=epoch,
                samples=samples,
                stream=Stream.MIX,
                occurrence=occurrence,
                num=self.mixing_numbers,
            )
        return parameters, mixing
