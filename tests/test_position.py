"""Where a loader is, against what Loader's docstrings say of it; without DALI."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dali_voc import LoaderError
from dali_voc._batches import BatchKey
from dali_voc._position import Position, check_epoch

STEPS = 3


class Told:
    """The docstrings in plain words: (epoch, done) of the `for` in hand, and what comes after."""

    def __init__(self) -> None:
        self.following = (0, 0)
        self.running: list[int] | None = None  # [epoch, where it began, batches given, ended]

    def next_for(self) -> tuple[int, int]:
        if self.running and self.running[2] == 0 and not self.running[3]:
            return self.running[0], self.running[1]
        return self.following

    def begin(self) -> None:
        here = self.next_for()
        self.running = [*here, 0, 0]
        self.following = (here[0] + 1, 0)

    def take(self) -> None:
        if self.running:
            if self.running[2] < STEPS:
                self.running[2] += 1
            else:
                self.running[3] = 1

    def set_epoch(self, epoch: int) -> None:
        if self.next_for()[0] != epoch:
            if self.running and self.running[2] == 0 and not self.running[3]:
                self.running[:2] = epoch, 0
                epoch += 1
            self.following = (epoch, 0)

    def go_to(self, epoch: int, start: int) -> None:
        self.running, self.following = None, (epoch, start)


def take(position: Position) -> None:
    here = position.running
    if here is None:
        return
    here.begun = True
    if here.key.step < STEPS:
        here.key = BatchKey(epoch=here.key.epoch, start=here.key.start, step=here.key.step + 1)
    else:
        here.finished = True


MOVES = st.one_of(
    st.just(("begin",)),
    st.just(("take",)),
    st.tuples(st.just("set_epoch"), st.integers(0, 3)),
    st.tuples(st.just("go_to"), st.integers(0, 3), st.integers(0, 9)),
)


@given(st.lists(MOVES, max_size=20))
def test_the_position_is_as_told(moves: list[tuple]) -> None:
    position, told = Position(), Told()
    for name, *numbers in moves:
        getattr(told, name)(*numbers)
        if name == "take":
            take(position)
        elif name == "go_to":
            position.go_to(BatchKey(epoch=numbers[0], start=numbers[1]))
        else:
            getattr(position, name)(*numbers)
        following = position.next_for
        assert (following.epoch, following.start, following.step) == (*told.next_for(), 0)
        here = position.here
        if told.running and not told.running[3]:
            assert [here.epoch, here.start, here.step] == told.running[:3]
        else:
            assert (here.epoch, here.start, here.step) == (*told.following, 0)


@pytest.mark.parametrize("epoch", [-1, 2**63, 2**70])
def test_epochs_there_are_not(epoch: int) -> None:
    with pytest.raises(LoaderError, match=r"expected 0 or more, and less than 2\^63$"):
        check_epoch(epoch)
