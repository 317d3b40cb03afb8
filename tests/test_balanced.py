"""`sampling: balanced`: how often classes are drawn, what null stands for, ranks and resume."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dali_voc import (
    ClassStats,
    Config,
    ConfigError,
    DatasetError,
    StateError,
    build_loader,
    count_classes,
    loss_weights,
)
from dali_voc.config import AugmentConfig
from dali_voc.order import weighted_order
from dali_voc.sampling import balanced_augment, balanced_weights
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
SMALL = {"crop_size": [48, 64]}


@pytest.fixture
def stats(tmp_path: Path, make_config: MakeConfig) -> ClassStats:
    counted = count_classes(make_config())
    counted.save(tmp_path / "stats.json")
    return counted


@pytest.fixture
def balanced(tmp_path: Path, make_config: MakeConfig, stats: ClassStats) -> MakeConfig:
    """Like `make_config`, with balanced sampling by the training split's own statistics."""

    def make(**sections: dict[str, Any]) -> Config:
        sampling = {"policy": "balanced", "stats": str(tmp_path / "stats.json")}
        augment = {**SMALL, **sections.pop("augment", {})}
        return make_config(sampling=sampling, augment=augment, **sections)

    return make


def slow_rates(samples: Sequence[Sequence[int]]) -> np.ndarray:
    """Probability of each picture: over all draws of a class, over all pictures that show it."""
    rates = np.zeros(len(samples))
    present = [c for c in range(21) if any(c in shown for shown in samples)]
    for c in present:
        showing = [i for i, shown in enumerate(samples) if c in shown]
        for i in showing:
            rates[i] += 1 / len(present) / len(showing)
    return rates


def test_pictures_are_drawn_by_class(stats: ClassStats) -> None:
    weights = balanced_weights(stats)
    expected = slow_rates(stats.sample_classes)
    np.testing.assert_allclose(weights / weights.sum(), expected, rtol=1e-12)
    assert weights.sum() == pytest.approx(sum(p > 0 for p in stats.pixels))
    drawn = np.concatenate([weighted_order(weights=weights, seed=0, epoch=e) for e in range(1000)])
    found = np.bincount(drawn, minlength=14) / len(drawn)
    assert (abs(found - expected) < 5 * np.sqrt(expected * (1 - expected) / len(drawn))).all()


def test_the_loader_draws_by_class(balanced: MakeConfig, stats: ClassStats) -> None:
    with build_loader(balanced()) as loader:
        plan = loader._plan
        expected = weighted_order(weights=balanced_weights(stats), seed=0, epoch=3)
        assert np.array_equal(plan._order(3), expected)
        assert len(loader) == 4


def test_rare_classes_fill_more_of_the_crops(
    balanced: MakeConfig, make_config: MakeConfig, stats: ClassStats
) -> None:
    def shares(config: Config) -> torch.Tensor:
        counts = torch.zeros(256)
        with build_loader(config) as loader:
            for _ in range(40):
                for _, labels in loader:
                    counts += torch.bincount(labels.flatten(), minlength=256)
        return counts[:21] / counts[:21].sum()

    before, after = shares(make_config(augment=SMALL)), shares(balanced())
    rare = np.array([0 < p < np.median([q for q in stats.pixels if q]) for p in stats.pixels])
    assert after[rare].sum() > 2 * before[rare].sum()
    assert after[0] < before[0]


def test_a_picture_of_no_class_is_never_drawn(stats: ClassStats) -> None:
    shown = ((), *stats.sample_classes[1:], stats.sample_classes[0])
    other = ClassStats(**{**vars(stats), "sample_classes": shown})
    assert balanced_weights(other)[0] == 0
    empty = {"pixels": (0,) * 21, "picture_pixels": (0,) * 21, "sample_classes": ((), ())}
    with pytest.raises(ConfigError, match="not all 0"):
        balanced_weights(ClassStats(**{**vars(stats), **empty}))


@pytest.mark.parametrize(
    ("given", "uniform", "with_balance"),
    [
        ({}, (None, None), (0.5, "inverse")),
        ({"class_crop": 0.2}, (0.2, None), (0.2, "inverse")),
        ({"class_crop": 0.0}, (0.0, None), (0.0, None)),
        ({"class_weights": (1.0,) * 21}, (None, (1.0,) * 21), (0.5, (1.0,) * 21)),
    ],
)
def test_what_null_stands_for(
    stats: ClassStats, given: dict[str, Any], uniform: Any, with_balance: Any
) -> None:
    inverse = tuple(loss_weights(stats, method="inverse").tolist())
    augment = AugmentConfig(**given)
    for found, (crop, weights) in (
        (balanced_augment(augment, None), uniform),
        (balanced_augment(augment, stats), with_balance),
    ):
        assert found.class_crop == crop
        assert found.class_weights == (inverse if weights == "inverse" else weights)
        assert balanced_augment(found, None) == found
        assert found.model_copy(update=augment.model_dump()) == augment


def test_crops_are_those_of_the_same_values_written_out(
    balanced: MakeConfig, make_config: MakeConfig, stats: ClassStats
) -> None:
    written = make_config(
        augment={**SMALL, "class_crop": 0.5, "class_weights": loss_weights(stats).tolist()}
    )
    with (
        build_loader(balanced()) as first,
        build_loader(written, weights=balanced_weights(stats)) as second,
    ):
        for batch, other in zip(first, second, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(batch, other, strict=True))
        assert first.state_dict() == second.state_dict()


def test_validation_is_untouched(balanced: MakeConfig, make_config: MakeConfig) -> None:
    """The statistics are not even read."""
    config = balanced()
    config.sampling.stats_path.unlink()
    with (
        build_loader(config, split="val") as first,
        build_loader(make_config(augment=SMALL), split="val") as second,
    ):
        for batch, other in zip(first, second, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(batch, other, strict=True))
        assert first.state_dict() == second.state_dict()


def test_weights_of_the_caller_go_before(balanced: MakeConfig) -> None:
    with build_loader(balanced(), weights=np.eye(14)[3]) as loader:
        assert set(loader._plan._order(0).tolist()) == {3}


def test_statistics_of_another_split_are_refused(balanced: MakeConfig) -> None:
    with pytest.raises(DatasetError, match=r"stats.json: class statistics of other samples"):
        build_loader(balanced(), split="trainval")


@pytest.mark.parametrize("chosen", [None, range(13, 1, -1)])
def test_classes_are_drawn_alike_among_pictures_that_are_not_dropped(
    balanced: MakeConfig, stats: ClassStats, chosen: range | None
) -> None:
    config = balanced(augment={"crop_size": [320, 400], "small": "drop"})
    with build_loader(config, samples=chosen) as loader:
        kept = [int(loader.index.name(i).split("_")[1]) for i in range(len(loader.index))]
        assert 0 < len(kept) < 12
        weights = loader._plan.weights
    expected = slow_rates([stats.sample_classes[i] for i in kept])
    np.testing.assert_allclose(weights / weights.sum(), expected, rtol=1e-12)
    assert len(set(expected)) > 1


@pytest.mark.parametrize("rank", [0, 1])
def test_resume(balanced: MakeConfig, rank: int) -> None:
    config = balanced(loader={"batch_size": 3, "rank": rank, "world_size": 2})
    assert_resumes_exactly(lambda: build_loader(config))


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_share_the_draws(balanced: MakeConfig, world: int) -> None:
    def labels(rank: int, size: int) -> list[bytes]:
        config = balanced(loader={"batch_size": 2, "rank": rank, "world_size": size})
        with build_loader(config) as loader:
            return [label.numpy().tobytes() for _, batch in loader for label in batch]

    whole = labels(0, 1)
    for rank in range(world):
        part = labels(rank, world)
        assert part == (whole + whole)[rank : rank + world * len(part) : world]


def test_a_state_of_other_statistics_is_refused(balanced: MakeConfig, stats: ClassStats) -> None:
    config = balanced()
    with build_loader(config) as loader:
        state = json.loads(json.dumps(loader.state_dict()))
    more = {"pixels": tuple(2 * p if i == 0 else p for i, p in enumerate(stats.pixels))}
    whole = {"picture_pixels": tuple(2 * p for p in stats.picture_pixels)}
    ClassStats(**{**vars(stats), **more, **whole}).save(config.sampling.stats_path)
    with build_loader(config) as loader, pytest.raises(StateError, match="section augment"):
        loader.load_state_dict(state)
