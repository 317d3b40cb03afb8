"""Who gets which sample: all small cases, against what each policy promises."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from dali_voc.order import LastBatch, batch_positions, epoch_order, num_batches


def deal(n: int, batch: int, world: int, policy: LastBatch) -> list[list[list[int]]]:
    """Places per rank and batch."""
    common = {"num_samples": n, "batch_size": batch, "world_size": world, "last_batch": policy}
    return [
        [
            batch_positions(step=step, rank=rank, **common).tolist()
            for step in range(num_batches(**common))
        ]
        for rank in range(world)
    ]


@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
def test_every_small_case_keeps_the_promise(policy: LastBatch) -> None:
    for n in range(1, 65):
        for world in range(1, 9):
            for batch in range(1, 10):
                _check(n, batch, world, policy)


def _check(n: int, batch: int, world: int, policy: LastBatch) -> None:
    ranks = deal(n, batch, world, policy)
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


def test_the_table_in_the_docstring() -> None:
    letters = "abcdefghijk"

    def show(policy: LastBatch) -> list[str]:
        ranks = deal(11, 2, 4, policy)
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


def test_unshuffled_is_list_order() -> None:
    order = epoch_order(num_samples=5, shuffle=False, seed=5, epoch=3)
    assert order.tolist() == [0, 1, 2, 3, 4]
