"""Where a loader is: which `for` is running, and where the next one begins."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field

from dali_voc._batches import BatchKey
from dali_voc.errors import LoaderError

__all__ = ["Pass", "Position", "check_epoch"]


@dataclass
class Pass:
    """How far one `for` has come.

    Attributes:
        key: of its next batch.
        begun: whether it has given a batch, or has come to its end.
        finished: whether it has come to its end.
        left: whether nobody has it any more, as after a `break`.
    """

    key: BatchKey
    begun: bool = False
    finished: bool = False
    left: bool = False


@dataclass
class Position:
    """Where a loader is.

    Attributes:
        following: where the `for` after the running one begins; without one, the next.
        running: the `for` that was begun last; None: a state or a number took its place.
        was_left: whether the state that was loaded is of a `for` that had been left.
    """

    following: BatchKey = field(default_factory=lambda: BatchKey(epoch=0))
    running: Pass | None = None
    was_left: bool = False

    @property
    def next_for(self) -> BatchKey:
        """Where the next `for` begins."""
        if self.running is None or self.running.begun:
            return self.following
        # an iterator that gave nothing yet was not an epoch; Lightning makes such
        return self.running.key

    @property
    def here(self) -> BatchKey:
        """Which batch has yet to come, as a state has it."""
        if self.running is None or self.running.finished:
            return self.following
        return self.running.key

    @property
    def is_left(self) -> bool:
        """Whether `here` is in a `for` that was left."""
        if self.running is None or not self.running.begun:
            return self.was_left
        return self.running.left and not self.running.finished

    def begin(self) -> Pass:
        """Begin the next `for`."""
        here = self.next_for
        if self.running is None or self.running.begun:
            self.following = BatchKey(epoch=self.following.epoch + 1)
        self.running = Pass(here)
        return self.running

    def go_to(self, key: BatchKey, *, was_left: bool = False) -> None:
        """Let the next `for` begin there; one that is running ends."""
        self.running, self.following, self.was_left = None, key, was_left

    def restore(self, other: Position) -> None:
        """Become what another is."""
        self.following, self.running = other.following, other.running
        self.was_left = other.was_left

    def move(self, key: BatchKey) -> None:
        """Let the next `for` begin there, or the one that has just begun and gave no batch yet."""
        if self.running and not self.running.begun:
            self.running.key = key
            key = BatchKey(epoch=key.epoch + 1)
        self.following = key

    def set_epoch(self, epoch: int) -> None:
        """See `Loader.set_epoch`."""
        if self.next_for.epoch != epoch:
            self.move(BatchKey(epoch=epoch))


def check_epoch(epoch: int) -> int:
    """Return a number of an epoch as Python's own, which NumPy's are not: it goes into states.

    Raises:
        LoaderError: there is no such epoch.
    """
    epoch = operator.index(epoch)
    if not 0 <= epoch < 2**63:
        raise LoaderError(f"epoch {epoch}: expected 0 or more, and less than 2^63")
    return epoch
