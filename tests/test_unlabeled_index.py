"""`labels.unlabeled_index`: pictures without labels whose padding can be told from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_lossless
from PIL import Image
from test_cache import AUGMENTED, compare

from dali_voc import Config, ConfigError, build_loader
from dali_voc.packing import pack_split
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
# by which crops are chosen, which pictures without a label are not
BY_CLASS = ("class_crop", "category_max_ratio")
SPLITS = [
    ("train", {}),
    ("train", {k: AUGMENTED[k] for k in AUGMENTED if k not in BY_CLASS}),
    ("train", {"scale": [0.5, 2.0], "rotate": 20, "blur": 1.0, "jpeg": 0.5, "erase": 0.5}),
    ("val", {}),
    ("val", {"validation": "full"}),
    ("val", {"validation": "resize"}),
    ("val", {"validation": "slide", "stored_labels": True}),
]
FILLED = {"unlabeled_index": 7}


def painted(root: Path, value: int) -> Path:
    for path in (root / "SegmentationClass").iterdir():
        size = Image.open(path).size
        Image.fromarray(np.full(size[::-1], value, np.uint8)).save(path)
    return root


@pytest.fixture(scope="module")
def void(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of mixed sizes, and labels that are void all over."""
    return painted(write_lossless(tmp_path_factory.mktemp("void")), 255)


@pytest.fixture(scope="module")
def sevens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures, and labels of one class all over."""
    return painted(write_lossless(tmp_path_factory.mktemp("sevens")), 7)


@pytest.mark.parametrize("keep", ["none", "encoded", "decoded"])
@pytest.mark.parametrize("shown", SPLITS)
def test_batches_are_those_of_labels_of_that_class(
    sevens: Path, void: Path, make_config: MakeConfig, shown: tuple[str, dict[str, Any]], keep: str
) -> None:
    split, augment = shown
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80], **augment}, "cache": {"keep": keep}}
    config = make_config(void, dataset={"unlabeled": True}, labels=FILLED, **keys)
    compare(make_config(sevens, **keys), config, split=split, count=2)


def test_crops_are_not_chosen_by_it(void: Path, make_config: MakeConfig) -> None:
    """The same crops as without, where classes decide."""
    choosing = {"class_crop": 0.7, "category_max_ratio": 0.5, "crop_size": [64, 80]}
    seen = []
    for labels in {}, FILLED:
        config = make_config(void, dataset={"unlabeled": True}, augment=choosing, labels=labels)
        with build_loader(config) as loader:
            seen.append([batch for _ in range(2) for batch in loader])
    for (images, labels), (again, filled) in zip(*seen, strict=True):
        assert torch.equal(images, again)
        assert (labels == 255).all()
        # by the default mean no colour becomes 0
        assert torch.equal(filled, torch.where((images != 0).any(1), 7, 255))


@pytest.mark.parametrize("tail", ["dali", "fused"])
def test_on_the_graph_of_a_gpu(
    void: Path, sevens: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, tail: str
) -> None:
    monkeypatch.setattr("dali_voc.loader.has_gpu_graph", lambda device: True)
    keys: dict[str, Any] = {
        "augment": {"crop_size": [64, 80], "scale": [0.5, 2.0], "rotate": 20},
        "loader": {"gpu_tail": tail},
    }
    config = make_config(void, dataset={"unlabeled": True}, labels=FILLED, **keys)
    compare(make_config(sevens, **keys), config, count=1)


@pytest.mark.parametrize(
    "labels",
    [
        {"ignore_index": 0, "dtype": "uint8"},
        {"ignore_index": 1000, "dtype": "int32"},
        {"one_hot": True},
        {"masks": ["person", "car"]},
    ],
)
def test_forms_of_labels(
    void: Path, sevens: Path, make_config: MakeConfig, labels: dict[str, Any]
) -> None:
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80]}}
    config = make_config(void, dataset={"unlabeled": True}, labels=labels | FILLED, **keys)
    compare(make_config(sevens, labels=labels, **keys), config, count=1)


def test_beside_pictures_with_labels(voc: Path, void: Path, make_config: MakeConfig) -> None:
    """Those keep theirs."""
    sources = [
        {"name": "voc2012", "root": str(voc)},
        {"name": "voc2012", "root": str(void), "unlabeled": True},
    ]
    dataset = {"name": "sources", "root": "/", "sources": sources}
    found = []
    for labels in {}, FILLED:
        config = make_config(dataset=dataset, augment={"validation": "full"}, labels=labels)
        with build_loader(config, split="val") as loader:
            found.append(list(loader))
            labeled = set(loader.index.labeled.tolist())
    seen = set()
    for plain, filled in zip(*found, strict=True):
        assert torch.equal(plain.images, filled.images)
        for i, sample in enumerate(plain.samples.tolist()):
            height, width = plain.sizes[i].tolist()
            expected = plain.labels[i].clone()
            if sample not in labeled:
                expected[:height, :width] = 7
            assert torch.equal(filled.labels[i], expected)
            seen.add(sample in labeled)
    assert seen == {False, True}


def test_packs_have_void_all_the_same(void: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    for name, labels in ("plain", {}), ("filled", FILLED):
        config = make_config(void, dataset={"unlabeled": True}, labels=labels)
        pack_split(config, tmp_path / name, split="val")
    for shard in (tmp_path / "plain/val").glob("*.pack"):
        assert (tmp_path / "filled/val" / shard.name).read_bytes() == shard.read_bytes()


def test_resumes(void: Path, make_config: MakeConfig) -> None:
    keys: dict[str, Any] = {"augment": {"crop_size": [64, 80]}, "labels": FILLED}
    config = make_config(void, dataset={"unlabeled": True}, **keys)
    assert_resumes_exactly(lambda: build_loader(config))


@pytest.mark.parametrize("index", [21, 255, 65533])
def test_it_is_a_class(void: Path, make_config: MakeConfig, index: int) -> None:
    config = make_config(void, labels={"unlabeled_index": index})
    with pytest.raises(ConfigError, match=f"found {index}, expected a class, 0 to 20, or null"):
        build_loader(config)
