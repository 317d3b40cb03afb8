"""A part of a split: `build_loader(samples=...)`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dali_voc import Config, ConfigError, DatasetError, build_loader, count_classes
from dali_voc.packing import pack_split
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
    with pytest.raises(ConfigError, match=rf"\[2\] for {n} pairs of the split, of which some are"):
        build_loader(make_config(), samples=[3, 5], weights=[1, 2])


def test_balanced_sampling_is_among_them(make_config: MakeConfig, tmp_path: Path) -> None:
    """As often as classes are shown by the chosen pictures: others are not looked at."""
    whole = count_classes(make_config())
    chosen = [9, 2, 0, 11]
    part = count_classes(make_config(), samples=chosen)
    assert part.sample_classes == tuple(whole.sample_classes[i] for i in chosen)
    assert 0 < sum(part.pixels) < sum(whole.pixels)
    showing = Counter(c for i in chosen for c in whole.sample_classes[i])
    expected = [sum(1 / showing[c] for c in whole.sample_classes[i]) for i in chosen]
    assert len(set(expected)) > 1
    for counted in whole, part:
        counted.save(tmp_path / "stats.json")
        balanced = {"policy": "balanced", "stats": tmp_path / "stats.json"}
        config = make_config(augment=CROP, sampling=balanced)
        with build_loader(config, samples=chosen) as loader:
            assert loader.plan.weights is not None
            np.testing.assert_allclose(loader.plan.weights, expected, rtol=1e-12)
            # and crops around rare classes by the pixels that the file counts
            pixels = np.array(counted.pixels, np.float64)
            weights = np.array(loader.plan.augment.class_weights)
            there = pixels > 0
            products = weights[there] * pixels[there]
            np.testing.assert_allclose(products, products[0], rtol=1e-6)
            assert (weights[~there] == 0).all()
        other: dict[str, Any] = {"split": "val", "training": True}
        with pytest.raises(DatasetError, match="class statistics of other samples"):
            build_loader(config, **({"samples": [0, 1]} if counted is part else other))
    with pytest.raises(DatasetError, match="found 99"):
        count_classes(make_config(), samples=[99])


@pytest.mark.parametrize("kind", ["voc2012", "folder"])
def test_other_pairs_need_not_be_complete(
    voc: Path, make_config: MakeConfig, tmp_path: Path, kind: str
) -> None:
    root = Path(shutil.copytree(voc, tmp_path / "voc"))
    dataset: dict[str, Any] = {"name": kind}
    if kind == "folder":
        classes = ["background", *map(str, range(20))]
        patterns = {"images": "JPEGImages/*.jpg", "masks": "SegmentationClass/*.png"}
        dataset |= {"classes": classes, "labels": None, **patterns}
    names = ["made_000000", "made_000003"]
    config = make_config(root, dataset=dataset, augment=CROP, labels={"unknown": "ignore"})
    expected = shown(config, training=False, samples=names)
    for path in (root / "SegmentationClass").iterdir():
        if path.stem not in names:
            path.unlink()
    found = shown(config, training=False, samples=names)
    assert [name for name, _ in found] == names
    assert all(torch.equal(a, b) for (_, a), (_, b) in zip(found, expected, strict=True))
    assert len(count_classes(config, samples=names).sample_classes) == 2
    for samples in None, [*names, "made_000001"], [0, 3]:  # without some, places are others
        with pytest.raises(DatasetError, match=r"made_000001|no label for"):
            build_loader(config, samples=samples)


def test_chosen_records_beside_files_that_are_missing(
    voc: Path, make_config: MakeConfig, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(voc, tmp_path / "voc"))
    pack_split(make_config(voc), tmp_path / "packed", split="val")
    (root / "SegmentationClass/made_000000.png").unlink()
    sources = [
        {"name": "voc2012", "root": str(root), "split": "train"},
        {"name": "packed", "root": str(tmp_path / "packed"), "split": "val"},
    ]
    dataset = {"name": "sources", "root": "/", "sources": sources}
    config = make_config(dataset=dataset, augment=CROP)
    names = ["made_000003", "made_000015", "made_000020"]
    assert [name for name, _ in shown(config, training=False, samples=names)] == names
    with pytest.raises(DatasetError, match="made_000000"):
        build_loader(config, samples=["made_000000", "made_000015"])


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


@pytest.mark.parametrize(
    "samples",
    [
        *([0.5], ["made_000000", 1], [None], "made_000000", Path("names.txt")),
        *({1, 2}, frozenset(["made_000000"])),
    ],
)
def test_what_is_no_list_of_them(make_config: MakeConfig, samples: Any) -> None:
    with pytest.raises(TypeError):
        build_loader(make_config(), samples=samples)
