"""A part of a split: `build_loader(samples=...)`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from dali_voc import Config, DatasetError, build_loader, count_classes
from dali_voc.packing import pack_split
from dali_voc.sampling import balanced_weights
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
CROP = {"crop_size": [40, 56]}


def shown(config: Config, **keys: object) -> list[tuple[str, torch.Tensor]]:
    with build_loader(config, **keys) as loader:  # type: ignore[arg-type]
        return [
            (loader.index.name(int(sample)), image.clone())
            for images, _ in loader
            for sample, image in zip(loader.in_hand.samples, images, strict=True)
        ]


@pytest.mark.parametrize("by_name", [False, True])
def test_validation_shows_them_in_the_order_given(make_config: MakeConfig, by_name: bool) -> None:
    config = make_config(augment=CROP)
    whole = shown(config, split="val")
    chosen = [2, 0]
    samples = [whole[i][0] for i in chosen] if by_name else chosen
    found = shown(config, split="val", samples=samples)
    assert [name for name, _ in found] == [whole[i][0] for i in chosen]
    for (_, image), i in zip(found, chosen, strict=True):
        assert torch.equal(image, whole[i][1])


def test_training_folds(make_config: MakeConfig) -> None:
    """Five folds are all samples, each once, and resume exactly."""
    config = make_config(augment=CROP)
    everything = {name for name, _ in shown(config)}
    n = len(everything)
    folds = [np.arange(n)[k::5] for k in range(5)]
    seen = [name for fold in folds for name, _ in shown(config, samples=fold)]
    assert sorted(seen) == sorted(everything)
    assert_resumes_exactly(lambda: build_loader(config, samples=folds[0]))
    states = []
    for fold in folds[:2]:
        with build_loader(config, samples=fold) as loader:
            states.append(loader.state_dict()["fingerprint"])
    assert states[0]["samples"] != states[1]["samples"]


def test_weights_are_of_the_whole_list(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(augment=CROP)
    with build_loader(config) as loader:
        n = len(loader.index)
    weights = np.zeros(n)
    weights[[1, 3]] = 1, 2
    assert len({name for name, _ in shown(config, weights=weights, samples=[3, 5])}) == 1
    (tmp_path / "w.txt").write_text("\n".join(map(str, weights)))
    config = make_config(augment=CROP, sampling={"weights": tmp_path / "w.txt"})
    assert len({name for name, _ in shown(config, samples=[3, 5])}) == 1
    count_classes(make_config()).save(tmp_path / "s.json")
    balanced = {"policy": "balanced", "stats": tmp_path / "s.json"}
    config = make_config(augment=CROP, sampling=balanced)
    whole = balanced_weights(count_classes(make_config()))
    places = np.argsort(whole)[[0, -1, n // 2]]
    assert len(set(whole[places])) == 3
    with build_loader(config, samples=places) as loader:
        assert loader.plan.weights is not None
        assert np.array_equal(loader.plan.weights, whole[places])


def test_of_a_pack(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(augment=CROP)
    pack_split(config, tmp_path / "packed", split="val")
    packed = make_config(tmp_path / "packed", dataset={"name": "packed"}, augment=CROP)
    expected = shown(config, split="val", samples=[1, 2])
    found = shown(packed, split="val", samples=[1, 2])
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([], "found none"),
        ([0, 99], "found 99, expected 0 to"),
        ([-1], "found -1"),
        ([1, 1], "is there twice"),
        (["made_000000", "no such"], "found 'no such', which the split does not have"),
        (["made_00000"], "did you mean"),
    ],
)
def test_what_there_is_not(make_config: MakeConfig, samples: list[int], words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        build_loader(make_config(), samples=samples)


@pytest.mark.parametrize("samples", [[0.5], ["made_000000", 1], [None], "made_000000"])
def test_neither_numbers_nor_names(make_config: MakeConfig, samples: list[object]) -> None:
    with pytest.raises(TypeError):
        build_loader(make_config(), samples=samples)  # type: ignore[arg-type]
