"""Epochs of training that are longer or shorter than the list of samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import numpy as np
import pytest

from dali_voc import Config, DatasetError, StateError, build_loader
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
N = 5


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long") / "voc"
    return encoded_voc.write(folder, sizes=[(60 + i, 50) for i in range(N)])


def made(make_config: MakeConfig, root: Path, length: int | None, **loader: Any) -> Config:
    return make_config(
        root,
        augment={"crop_size": [16, 16], "flip": 0.5},
        loader={"batch_size": 2, "last_batch": "partial", **loader},
        sampling={"epoch_length": length},
    )


def shown(loader: Any) -> list[tuple[int, bytes]]:
    """What an epoch shows: samples, and where their crops are."""
    found = []
    for images, _ in loader:
        batch = loader.in_hand
        assert len(images) == len(batch.samples)
        places = batch.parameters["position"]
        found += [(int(s), p.tobytes()) for s, p in zip(batch.samples, places, strict=True)]
    return found


@pytest.mark.parametrize("length", [1, 3, 5, 12])
def test_an_epoch_is_as_long_as_it_is_said(
    make_config: MakeConfig, root: Path, length: int
) -> None:
    with build_loader(made(make_config, root, length)) as loader:
        assert len(loader) == -(-length // 2)
        for _ in range(3):
            found = shown(loader)
            assert len(found) == length
            times = Counter(sample for sample, _ in found)
            assert max(times.values()) - min([*times.values(), *([0] * (N - len(times)))]) <= 1
            assert len(set(found)) == length  # each time with a crop of its own


def test_the_first_of_each_are_those_of_a_plain_epoch(make_config: MakeConfig, root: Path) -> None:
    with (
        build_loader(made(make_config, root, 12)) as long,
        build_loader(made(make_config, root, None)) as plain,
    ):
        assert shown(long)[:N] == shown(plain)


@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
def test_ranks_share_a_long_epoch(make_config: MakeConfig, root: Path, policy: str) -> None:
    """Together they show what one rank shows, and as many batches each."""
    given = {"last_batch": policy}
    with build_loader(made(make_config, root, 13, **given)) as loader:
        alone = shown(loader)
    ranks = []
    for rank in range(3):
        config = made(make_config, root, 13, **given, rank=rank, world_size=3)
        with build_loader(config) as loader:
            ranks.append(shown(loader))
            assert len(loader) == {"drop": 2, "pad": 3, "partial": 3}[policy]
    together = [pair for of_all in zip(*ranks, strict=True) for pair in of_all]
    common = min(len(alone), len(together), 13)
    assert together[:common] == alone[:common]
    assert len(set(together[:13])) == min(len(together), 13)


def test_validation_shows_each_once(make_config: MakeConfig, root: Path) -> None:
    with build_loader(made(make_config, root, 12), training=False) as loader:
        assert [sample for sample, _ in shown(loader)] == list(range(N))


def test_weights_decide_who_comes(make_config: MakeConfig, root: Path) -> None:
    weights = [0, 1, 0, 0, 3]
    with build_loader(made(make_config, root, 400, batch_size=50), weights=weights) as loader:
        found = shown(loader)
    times = Counter(sample for sample, _ in found)
    assert set(times) == {1, 4}
    assert abs(times[4] - 300) < 5 * np.sqrt(400 * 0.75 * 0.25)
    assert len(set(found)) == 400


@pytest.mark.parametrize("length", [3, 12])
@pytest.mark.parametrize("policy", ["drop", "pad", "partial"])
def test_resume(make_config: MakeConfig, root: Path, length: int, policy: str) -> None:
    config = made(make_config, root, length, last_batch=policy)
    assert_resumes_exactly(lambda: build_loader(config))


def test_a_state_of_another_length_is_refused(make_config: MakeConfig, root: Path) -> None:
    with build_loader(made(make_config, root, 12)) as loader:
        state = loader.state_dict()
    with (
        build_loader(made(make_config, root, 13)) as loader,
        pytest.raises(StateError, match=r"sampling.epoch_length \(epoch_length: '12' in the state"),
    ):
        loader.load_state_dict(state)
    # as many as there are is no other order
    for length in N, None:
        with build_loader(made(make_config, root, length)) as loader:
            assert loader.state_dict()["fingerprint"]["epoch_length"] == "all samples"
    # a state of before there were any
    with build_loader(made(make_config, root, None)) as loader:
        old = loader.state_dict()
        old["fingerprint"] = {k: v for k, v in old["fingerprint"].items() if k != "epoch_length"}
        loader.load_state_dict(old)


def test_no_full_batch(make_config: MakeConfig, root: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"1 samples \(sampling.epoch_length\) give no full batch"
    ):
        build_loader(made(make_config, root, 1, last_batch="drop"))
