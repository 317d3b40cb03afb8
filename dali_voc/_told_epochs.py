"""Where Lightning finds `set_epoch`: at `loader.batch_sampler.sampler`."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import Self

from dali_voc._batches import BatchKey, BatchPlan
from dali_voc._position import Pass, Position, check_epoch

__all__ = ["ToldEpochs"]


@dataclass
class ToldEpochs:
    """Takes a position forward to an epoch that somebody else counts.

    Lightning counts epochs itself, and tells a `DataLoader`'s sampler the number before each. What
    it does with checkpoints:

    - One of an epoch's end it takes for one of the next epoch's beginning: it loads no state of a
      loader, or one after which what is left of the old epoch would follow.
    - If `max_steps` is set and it was saved after the epoch's last step, it takes one batch more
      for that epoch, and what is left of the next one is its next epoch.
    - A `fit` that `max_steps` ended in mid-epoch counts as a whole epoch, though it goes on with
      the rest. A checkpoint of that is saved when the `for` has been left.

    Attributes:
        position: of the loader.
        plan: of its batches.
        ahead: how far the numbers that are told are ahead of ours.
        skipped_to: the `for` in place of a rest that was loaded, and is no more.
    """

    position: Position
    plan: BatchPlan
    ahead: int = 0
    skipped_to: Pass | None = None

    @property
    def sampler(self) -> Self:
        """The same: of a `DataLoader` it is the batch sampler's sampler that is told."""
        return self

    def forget(self) -> None:
        """Begin anew: the position has become another."""
        self.ahead, self.skipped_to = 0, None

    def set_epoch(self, epoch: int) -> None:
        """Let the `for` that has just begun, or else the next, be this epoch, if it is before it.

        Not if it is behind it: more than one `for` may go into one of Lightning's epochs.
        """
        told, before = check_epoch(epoch), self.skipped_to
        self.skipped_to = None
        here = self.position.next_for
        if before and before.key.step == 1 and not before.finished and here.start == 0:
            # the one batch more; its epoch goes on
            start = self.plan.deal(before.key.start).delivered(steps=1)
            self.position.move(BatchKey(epoch=before.key.epoch, start=start))
            self.ahead = told - before.key.epoch
        elif self.position.was_left and here.start > 0:
            self.ahead = told - here.epoch
        elif here.epoch < told - self.ahead:
            self.position.move(BatchKey(epoch=told - self.ahead))
            if here.start > 0:
                self.skipped_to = self.position.running
