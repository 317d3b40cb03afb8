"""`sources`: VOC and Cityscapes in one data set with common classes, and with weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_dataset_cityscapes import write_pair
from whole_labels import load_labels

from dali_voc import Config, build_loader, count_classes, parse_config
from dali_voc.datasets import DatasetOptions, PairIndex, PathList, SourceOptions, find_index
from dali_voc.datasets.sources import find_pairs
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelMap, LabelSpec
from dali_voc.packing import pack_split
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
CLASSES = ["background", "person", "car"]
SIZE = (120, 160)


@pytest.fixture
def root(voc: Path, tmp_path: Path) -> Path:
    """Folders `voc` and `cs`."""
    root = tmp_path / "both"
    root.mkdir()
    (root / "voc").symlink_to(voc)
    rng = np.random.default_rng(0)
    for split, count in ("train", 5), ("val", 3):
        for i in range(count):
            coarse = rng.integers(0, 34, (6, 8))
            ids = np.kron(coarse, np.ones((20, 20), int)).astype(np.uint8)
            write_pair(root / "cs", split, f"ulm_{i:06d}_000019", {"labelIds": ids})
    return root


def dataset(**second: Any) -> dict[str, Any]:
    return {
        "name": "sources",
        "classes": CLASSES,
        "sources": [
            {"name": "voc2012", "root": "voc", "map": {"*": "background"}},
            {
                "name": "cityscapes",
                "root": "cs",
                "map": {"rider": "person", "sky": None, "*": "background"},
                **second,
            },
        ],
    }


def plain_labels(root: Path, split: str) -> list[np.ndarray]:
    """What Pillow and a table say."""
    found = []
    voc = np.full(256, 0)
    voc[VOC_SPEC.classes.index("person")], voc[VOC_SPEC.classes.index("car")] = 1, 2
    voc[255] = 255
    for stem in (root / f"voc/ImageSets/Segmentation/{split}.txt").read_text().split():
        found.append(voc[np.array(Image.open(root / f"voc/SegmentationClass/{stem}.png"))])
    ids = np.full(256, 255)
    ids[[7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 26, 27, 28, 31, 32, 33]] = 0
    ids[[24, 25]], ids[26], ids[23] = 1, 2, 255
    for path in sorted((root / f"cs/gtFine/{split}/ulm").iterdir()):
        found.append(ids[np.array(Image.open(path))])
    return found


def config_of(root: Path, tree: dict[str, Any], **sections: Any) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root), **tree},
            "loader": {"batch_size": 4, "device": "cpu", "threads": 2},
            **sections,
        }
    )


def test_labels_are_those_of_the_files(root: Path) -> None:
    tree = dataset()
    found = load_labels(tree.pop("name"), root, "val", **tree)
    expected = plain_labels(root, "val")
    assert len(found) == len(expected)
    for ours, plain in zip(found, expected, strict=True):
        assert np.array_equal(ours, plain)


def test_training_batches_mix_the_sources(root: Path) -> None:
    """Every label of an epoch is one of the plain ones; batches hold both kinds."""
    config = config_of(root, dataset(), augment={"crop_size": [600, 600], "flip": 0.0})
    expected = plain_labels(root, "train")
    seen, mixed = set(), 0
    with build_loader(config) as loader:
        num_voc = len(expected) - 5
        for _, labels in loader:
            members = []
            for label in labels.numpy():
                fits = [
                    k
                    for k, plain in enumerate(expected)
                    if np.array_equal(label[: plain.shape[0], : plain.shape[1]], plain)
                    and (label[plain.shape[0] :] == 255).all()
                    and (label[:, plain.shape[1] :] == 255).all()
                ]
                assert len(fits) == 1
                members += fits
            seen |= set(members)
            mixed += len({k < num_voc for k in members}) == 2
    assert seen == set(range(len(expected)))
    assert mixed > 0


def test_weights_of_sources(root: Path) -> None:
    config = config_of(root, dataset(weight=72.0), augment={"crop_size": [32, 32]})
    with build_loader(config) as loader:
        weights = loader.index.weights
        assert weights is not None
        num_voc = len(weights) - 5
        assert weights[:num_voc].tolist() == [1.0] * num_voc
        assert weights[num_voc:].tolist() == [72.0 / 5] * 5
        drawn = sum(int((loader._plan._order(epoch) >= num_voc).sum()) for epoch in range(10))
        share = drawn / (10 * len(weights))
        expected = 72 / (72 + num_voc)
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / (10 * len(weights)))
    assert_resumes_exactly(lambda: build_loader(config))


def test_packed_and_counted(root: Path, tmp_path: Path) -> None:
    tree = dataset()
    config = config_of(root, tree)
    pack_split(config, tmp_path / "packs", split="val")
    found = load_labels("packed", tmp_path / "packs", "val")
    expected = plain_labels(root, "val")
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
    stats = count_classes(config, split="val")
    counts = sum(np.bincount(label.reshape(-1), minlength=256) for label in expected)
    assert list(stats.pixels) == counts[:3].tolist()


def test_packed_and_unpacked(root: Path, tmp_path: Path) -> None:
    """Records of shards and whole files in one index."""
    tree = dataset()
    pack_split(config_of(root, tree), tmp_path / "packs", split="val")
    tree["sources"][0] = {"name": "packed", "root": str(tmp_path / "packs")}
    found = load_labels(tree.pop("name"), root, "val", **tree)
    plain = plain_labels(root, "val")
    expected = [*plain, *plain[-3:]]
    assert len(found) == len(expected)
    assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


def test_sources_that_have_several_maps() -> None:
    """A package's data set may bring more than one map: the numbers of the next begin behind."""
    spec = LabelSpec(classes=("a",), colors=((0, 0, 0),))
    maps = [LabelMap(values=((k, 0),)) for k in range(3)]
    indices = {
        "two": PairIndex(
            images=PathList(["x", "y"]),
            labels=PathList(["x", "y"]),
            spec=dataclasses.replace(spec, maps=tuple(maps[:2])),
            source=np.array([1, 0]),
        ),
        "one": PairIndex(
            images=PathList(["z"]),
            labels=PathList(["z"]),
            spec=dataclasses.replace(spec, maps=tuple(maps[2:])),
        ),
    }
    sources = tuple(SourceOptions(name=name, root=Path()) for name in ("two", "one", "two"))
    index = find_pairs(
        Path(),
        "train",
        must_exist=True,
        options=DatasetOptions(sources=sources),
        find=lambda name, *_, **__: indices[name],
    )
    assert index.source is not None
    assert [index.spec.maps[k] for k in index.source] == [maps[k] for k in (1, 0, 2, 1, 0)]


def test_a_state_of_other_maps_is_refused(root: Path) -> None:
    with build_loader(config_of(root, dataset())) as loader:
        state = loader.state_dict()
    other = dataset()
    other["sources"][1]["map"] = {"rider": "car", "*": "background"}
    with (
        build_loader(config_of(root, other)) as loader,
        pytest.raises(Exception, match="classes"),
    ):
        loader.load_state_dict(state)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sources": []}, r"dataset\.sources: found none"),
        ({"classes": None}, "expected the common classes"),
        ({"classes": ["background", "bird"]}, r"dataset\.sources\[1\]\.map: 'rider' becomes"),
    ],
)
def test_what_does_not_fit(root: Path, change: dict[str, Any], reason: str) -> None:
    tree = {**dataset(), **change}
    if change.get("classes", "") is None:
        for source in tree["sources"]:
            source.pop("map")
    with pytest.raises(DatasetError, match=reason):
        build_loader(config_of(root, tree))


def test_an_error_names_the_source(root: Path) -> None:
    (root / "cs/leftImg8bit/train/ulm/ulm_000002_000019_leftImg8bit.png").unlink()
    with pytest.raises(DatasetError, match=r"dataset\.sources\[1\]: .*ulm_000002"):
        build_loader(config_of(root, dataset()))


def test_all_tensors_are_alike(root: Path) -> None:
    with build_loader(config_of(root, dataset(), augment={"crop_size": list(SIZE)})) as loader:
        for images, labels in loader:
            assert images.shape[1:] == (3, *SIZE)
            assert labels.dtype == torch.int64
            assert set(labels.unique().tolist()) <= {0, 1, 2, 255}


def test_small_pictures_of_sources_of_which_some_know_their_sizes(
    voc: Path, make_config: MakeConfig, tmp_path: Path
) -> None:
    pack_split(make_config(voc), tmp_path / "packed")
    packed = {"name": "packed", "root": str(tmp_path / "packed")}
    loose = {"name": "voc2012", "root": str(voc)}
    augment = {"crop_size": [320, 400], "small": "drop"}
    counts = []
    for sources in ([packed], [loose], [packed, loose], [loose, packed]):
        config = make_config(dataset={"name": "sources", "sources": sources}, augment=augment)
        with build_loader(config) as loader:
            counts.append(len(loader.index))
    assert counts[0] == counts[1] > 0
    assert counts[2:] == [2 * counts[0]] * 2
    assert counts[0] < len(find_pairs_of(voc))


def find_pairs_of(voc: Path) -> list[str]:
    return (voc / "ImageSets/Segmentation/train.txt").read_text().split()


def test_a_pack_with_weights_shares_out_its_weight_by_them(
    voc: Path, make_config: MakeConfig, tmp_path: Path
) -> None:
    loose = {"name": "voc2012", "root": str(voc)}
    sources = [{**loose, "weight": 3}, {**loose, "split": "val", "weight": 1}]
    pack_split(make_config(dataset={"name": "sources", "sources": sources}), tmp_path / "packed")
    packed = {"name": "packed", "root": str(tmp_path / "packed")}
    n, val = 14, 7

    def weights(*given: dict[str, Any]) -> np.ndarray:
        config = make_config(dataset={"name": "sources", "sources": list(given)})
        found = find_index(config.dataset, "train").weights
        assert found is not None
        return found

    inside = np.repeat([3 / n, 1 / val], [n, val]) / 4
    np.testing.assert_allclose(
        weights({**packed, "weight": 2}, {**loose, "weight": 1}),
        [*(2 * inside), *np.full(n, 1 / n)],
    )
    # as many as it has samples
    np.testing.assert_allclose(weights(packed, loose), [*((n + val) * inside), *np.ones(n)])
