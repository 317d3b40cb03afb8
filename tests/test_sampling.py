"""Weights: what is refused, shares of sources, and draws over several ranks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import encoded_voc
import numpy as np
import pytest
import torch

from dali_voc import Config, ConfigError, DatasetError, build_loader
from dali_voc.order import weighted_order
from dali_voc.pictures import denormalize
from dali_voc.sampling import check_weights, read_weights, source_weights


def test_each_source_gets_its_share() -> None:
    sources = np.array([0] * 90 + [1] * 10)
    weights = source_weights(sources, [1.0, 3.0])
    assert weights[:90].sum() == pytest.approx(1.0)
    assert weights[90:].sum() == pytest.approx(3.0)
    assert len(set(weights[:90])) == len(set(weights[90:])) == 1
    drawn = np.concatenate(
        [sources[weighted_order(weights=weights, seed=0, epoch=e)] for e in range(200)]
    )
    assert abs(drawn.mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / len(drawn))


@pytest.mark.parametrize(("sources", "shares"), [([0, 1], [1.0]), ([0, 0], [1.0, 2.0])])
def test_sources_and_shares_must_fit(sources: list[int], shares: list[float]) -> None:
    with pytest.raises(ConfigError, match="shares for sources"):
        source_weights(sources, shares)


@pytest.mark.parametrize(
    "weights", [[1.0, 2.0], [1.0, -1.0, 2.0], [0.0] * 3, [1.0, np.nan, 1.0], [1e308] * 3]
)
def test_weights_that_make_no_sense(weights: list[float]) -> None:
    with pytest.raises(ConfigError):
        check_weights(weights, num_samples=3)


@pytest.mark.parametrize("text", ["1\n2\n", "1\nx\n3\n", "0\n0\n0\n"])
def test_files_of_weights_that_make_no_sense(tmp_path: Path, text: str) -> None:
    path = tmp_path / "weights.txt"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"weights.txt: not a list of weights"):
        read_weights(path, num_samples=3)
    with pytest.raises(DatasetError, match="No such file"):
        read_weights(tmp_path / "none.txt", num_samples=3)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_ranks_share_the_draws(
    tmp_path: Path, make_config: Callable[..., Config], world: int
) -> None:
    """The same draws whatever the number of ranks, dealt out like any other list."""
    root = encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60) for i in range(12)])
    weights = np.arange(12.0)
    order = weighted_order(weights=weights, seed=0, epoch=0).tolist()
    assert len(set(order)) < 12
    dealt: list[int] = [-1] * 12
    for rank in range(world):
        config = make_config(
            root,
            augment={"crop_size": [40, 48]},
            loader={"batch_size": 2, "rank": rank, "world_size": world},
        )
        with build_loader(config, weights=weights) as loader:
            found = [
                int(picture[0, 0, 0])
                for images, _ in loader
                for picture in denormalize(images, config.normalize)
            ]
        dealt[rank::world] = found
    assert dealt == order


@pytest.mark.parametrize(
    "weights", [[[1.0], [1.0, 2.0]], ["a", "b", "c"], [1j, 1, 1], [None, 1, 1], [[1, 1, 1]]]
)
def test_weights_that_are_no_numbers(weights: object) -> None:
    with pytest.raises(ConfigError):
        check_weights(weights, num_samples=3)  # type: ignore[arg-type]


def test_weights_of_torch() -> None:
    given = torch.tensor([1.0, 2.0, 0.5], requires_grad=True)
    assert check_weights(given, num_samples=3).tolist() == [1.0, 2.0, 0.5]


@pytest.mark.parametrize("sources", [[-1, 0], [0.9, 1.9], [[0, 1]]])
def test_sources_that_are_no_numbers(sources: object) -> None:
    with pytest.raises(ConfigError, match="sources: expected the number of a source"):
        source_weights(sources, [1.0, 1.0])  # type: ignore[arg-type]


def test_one_weight_a_line(tmp_path: Path) -> None:
    path = tmp_path / "weights.txt"
    path.write_text("1 2 3\n")
    with pytest.raises(DatasetError, match="not a list of weights"):
        read_weights(path, num_samples=3)


@pytest.mark.parametrize("weighted", [False, True])
def test_repetitions_have_crops_of_their_own(
    tmp_path: Path, make_config: Callable[..., Config], weighted: bool
) -> None:
    """Where the last batch is filled up from the epoch's beginning, several times even."""
    root = encoded_voc.write(tmp_path / "voc", sizes=[(90 + i, 80) for i in range(3)])
    loader = {"batch_size": 8, "last_batch": "pad"}
    config = make_config(root, augment={"crop_size": [16, 16], "flip": 0}, loader=loader)
    with build_loader(config, weights=np.ones(3) if weighted else None) as loaded:
        for _ in range(3):
            assert len(list(loaded)) == 1
            batch = loaded.in_hand
            assert len(batch.samples) == 8
            places = batch.parameters["position"]
            shown = {(int(s), p.tobytes()) for s, p in zip(batch.samples, places, strict=True)}
            assert len(shown) == 8


def test_weights_of_other_types(tmp_path: Path) -> None:
    given = torch.tensor([1.0, 3.0, 0.5], dtype=torch.bfloat16, requires_grad=True)
    assert check_weights(given, num_samples=3).tolist() == [1.0, 3.0, 0.5]
    (tmp_path / "w.txt").write_text("1\n3\n", encoding="utf-8-sig")
    assert read_weights(tmp_path / "w.txt", num_samples=2).tolist() == [1.0, 3.0]


def test_a_weight_of_0_is_never_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor where the random number is 0 itself, or that of an edge."""
    places = np.array([0.0, 0.5, 1 - 2.0**-53])
    monkeypatch.setattr("dali_voc.order.draws", lambda **_: places)
    weights = np.array([0.0, 1.0, 0.0, 1.0, 0.0])
    assert weighted_order(weights=weights, seed=0, epoch=0).tolist() == [1, 3, 3]
