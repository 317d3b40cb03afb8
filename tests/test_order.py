"""Who gets which sample: all small cases, against what each policy promises."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dali_voc.order import (
    Deal,
    LastBatch,
    _places_in_order,
    epoch_order,
    occurrences,
    weighted_order,
)


def dealt(
    n: int, batch: int, world: int, policy: LastBatch, start: int = 0
) -> list[list[list[int]]]:
    """Places per rank and batch."""
    deal = Deal(length=n, batch_size=batch, world_size=world, last_batch=policy, start=start)
    return [
        [
            (deal.places(step=step, rank=rank) % deal.length).tolist()
            for step in range(deal.num_batches())
        ]
        for rank in range(world)
    ]


@pytest.mark.parametrize("values", [1, 3, 2**63])
def test_equal_keys_keep_their_order(values: int) -> None:
    keys = np.random.default_rng(0).integers(0, values, 500, np.uint64)
    expected = sorted(range(500), key=lambda place: (keys[place], place))
    assert _places_in_order(keys).tolist() == expected


@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
def test_every_small_case_keeps_the_promise(policy: LastBatch) -> None:
    for n in range(1, 65):
        orders = [epoch_order(num_samples=n, shuffle=True, seed=n, epoch=e) for e in range(3)]
        for world in range(1, 9):
            for batch in range(1, 10):
                places = _check(n, batch, world, policy)
                # sample k of each epoch comes as often as the place where the epoch has it
                times = np.bincount(places, minlength=n)
                for order in orders:
                    assert np.array_equal(np.bincount(order[places], minlength=n)[order], times)


def _check(n: int, batch: int, world: int, policy: LastBatch) -> list[int]:
    """Check the places of all ranks against the promise, and return them."""
    ranks = dealt(n, batch, world, policy)
    case = (n, batch, world, policy)
    assert len({len(batches) for batches in ranks}) == 1, case
    sizes = [len(places) for batches in ranks for places in batches]
    counts = Counter(place for batches in ranks for places in batches for place in places)
    assert all(0 <= place < n for place in counts), case
    if policy == "drop":
        assert all(size == batch for size in sizes), case
        assert counts == Counter(range(n // (batch * world) * batch * world)), case
    elif policy == "pad":
        assert all(size == batch for size in sizes), case
        total = -(-n // (batch * world)) * batch * world
        assert counts == Counter(i % n for i in range(total)), case
    else:
        assert all(1 <= size <= batch for size in sizes), case
        assert all(len(p) == batch for batches in ranks for p in batches[:-1]), case
        assert set(counts) == set(range(n)), case
        repeated = sum(counts.values()) - n
        left = n % (batch * world)
        assert repeated == (max(world - left, 0) if left else 0), case
    return [place for batches in ranks for places in batches for place in places]


def test_the_table_in_the_docstring() -> None:
    letters = "abcdefghijk"

    def show(policy: LastBatch) -> list[str]:
        ranks = dealt(11, 2, 4, policy)
        return [", ".join(" ".join(letters[i] for i in b) for b in rank) for rank in ranks]

    assert show("drop") == ["a e", "b f", "c g", "d h"]
    assert show("pad") == ["a e, i b", "b f, j c", "c g, k d", "d h, a e"]
    assert show("partial") == ["a e, i", "b f, j", "c g, k", "d h, a"]


@pytest.mark.parametrize("n", [1, 2, 7, 1000])
def test_epochs_are_permutations_and_differ(n: int) -> None:
    orders = [epoch_order(num_samples=n, shuffle=True, seed=5, epoch=e) for e in range(20)]
    assert all(sorted(order.tolist()) == list(range(n)) for order in orders)
    if n > 100:
        assert len({tuple(order) for order in orders}) == 20
    again = epoch_order(num_samples=n, shuffle=True, seed=5, epoch=3)
    assert np.array_equal(again, orders[3])


def test_every_place_is_equally_likely() -> None:
    counts = np.zeros((6, 6))
    for epoch in range(6000):
        order = epoch_order(num_samples=6, shuffle=True, seed=1, epoch=epoch)
        counts[np.arange(6), order] += 1
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000 * 5 / 6)


@pytest.mark.parametrize(("n", "length"), [(7, 3), (7, 7), (7, 8), (7, 40), (1, 5), (5, 10)])
def test_all_come_before_any_comes_again(n: int, length: int) -> None:
    for epoch in range(10):
        given = {"num_samples": n, "shuffle": True, "seed": 5, "epoch": epoch}
        order = epoch_order(**given, length=length)
        rounds = [order[begin : begin + n].tolist() for begin in range(0, length, n)]
        assert sum(map(len, rounds)) == length
        assert all(sorted(one) == list(range(n)) for one in rounds[:-1])
        assert len(set(rounds[-1])) == len(rounds[-1])
        # as without a length, as far as both go
        assert order[:n].tolist() == epoch_order(**given)[:length].tolist()
    if length == 40:
        assert len({tuple(one) for one in rounds[:-1]}) == len(rounds) - 1


def test_short_epochs_have_all_samples_alike() -> None:
    counts = np.zeros(10)
    for epoch in range(4000):
        order = epoch_order(num_samples=10, shuffle=True, seed=1, epoch=epoch, length=3)
        counts[order] += 1
    assert np.abs(counts - 1200).max() < 5 * np.sqrt(4000 * 0.3 * 0.7)


def test_unshuffled_is_list_order() -> None:
    order = epoch_order(num_samples=5, shuffle=False, seed=5, epoch=3)
    assert order.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
@pytest.mark.parametrize("world", [1, 2, 4, 8])
def test_any_number_of_ranks_goes_on_with_what_is_left(policy: LastBatch, world: int) -> None:
    for n in (1, 2, 7, 16, 33, 40):
        for batch in (1, 2, 3, 5):
            before = Deal(length=n, batch_size=batch, world_size=world, last_batch=policy)
            first = dealt(n, batch, world, policy)
            for steps in range(before.num_batches() + 1):
                given = [p for rank in first for b in rank[:steps] for p in b]
                start = before.delivered(steps=steps)
                for world2 in (1, 2, 4, 8):
                    _check_rest(given, start, dealt(n, batch, world2, policy, start), n, policy)


def _check_rest(
    given: list[int], start: int, rest: list[list[list[int]]], n: int, policy: LastBatch
) -> None:
    """What is dealt out anew is exactly what was not given, as far as the policy promises."""
    assert len({len(batches) for batches in rest}) == 1
    counts = Counter(p for batches in rest for b in batches for p in b)
    assert all(b for batches in rest for b in batches)
    left = set(range(start, n))
    if start < n:
        assert set(given) == set(range(start))
        assert len(given) == start
    if policy == "drop":
        assert set(counts) <= left
        assert set(counts.values()) <= {1}
    elif not left:
        assert not counts
    else:
        assert left <= set(counts)
        first_again = [p for p in counts if p not in left]
        # what is repeated comes from the beginning of the list
        assert sorted(first_again) == list(range(len(first_again)))
        if policy == "partial" and len(rest) == 1:
            assert counts == Counter(left)


def test_weighted_draws_follow_the_weights() -> None:
    weights = np.array([1.0, 0.0, 2.0, 5.0, 0.0])
    counts = np.zeros(5)
    for epoch in range(4000):
        order = weighted_order(weights=weights, seed=3, epoch=epoch)
        assert len(order) == 5
        counts += np.bincount(order, minlength=5)
    assert counts[1] == counts[4] == 0
    expected = 20000 * weights / 8
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected)).all()


def test_weighted_draws_repeat_with_the_seed() -> None:
    weights = np.arange(1.0, 50.0)
    first, again, other = (
        weighted_order(weights=weights, seed=seed, epoch=2).tolist() for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


@given(st.lists(st.integers(0, 6)))
def test_occurrences_against_a_loop(order: list[int]) -> None:
    expected = [order[:i].count(sample) for i, sample in enumerate(order)]
    assert occurrences(np.array(order, np.int64)).tolist() == expected
