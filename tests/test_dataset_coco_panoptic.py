"""`coco_panoptic`: segment ids to classes, by a JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SHARED
from panoptic_tree import CATEGORIES, plain_labels, write_panoptic
from whole_labels import load_labels, pairs_of, paths_of, write_label

from dali_voc import build_loader, load_config, parse_config
from dali_voc.errors import DatasetError
from dali_voc.packing import pack_split
from dali_voc.state import fingerprint

REAL = SHARED / "data/coco"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_panoptic(tmp_path / "coco")
    write_panoptic(tmp_path / "coco", split="train2017", names=tuple("zyxwvut"), seed=1)
    return tmp_path / "coco"


def assert_same(found: list[np.ndarray], expected: list[np.ndarray]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("split", ["val", "train2017"])
def test_segments_become_classes(root: Path, split: str) -> None:
    expected = plain_labels(root / f"annotations/panoptic_{split.removesuffix('2017')}2017.json")
    assert {int(i) for label in expected for i in np.unique(label)} == {0, 1, 2, 3, 255}
    assert_same(load_labels("coco_panoptic", root, split), expected)


def test_crowds_are_ignored(root: Path) -> None:
    path = root / "annotations/panoptic_train2017.json"
    expected = plain_labels(path, crowd=False)
    assert any((a != b).any() for a, b in zip(expected, plain_labels(path), strict=True))
    assert_same(load_labels("coco_panoptic", root, "train", labels="nocrowd"), expected)


def test_other_classes(root: Path) -> None:
    table = np.arange(256)
    table[:4] = [1, 0, 255, 1]
    expected = [table[label] for label in plain_labels(root / "annotations/panoptic_val2017.json")]
    keys: dict[str, Any] = {
        "classes": ["person", "other"],
        "map": {"rug-merged": None, "*": "other"},
    }
    assert_same(load_labels("coco_panoptic", root, "val", **keys), expected)
    with pytest.raises(DatasetError, match="found the key 7, expected a class"):
        pairs_of("coco_panoptic", root, "val", map={7: "person"})


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real samples at {REAL}")
@pytest.mark.parametrize("kind", ["all", "nocrowd"])
def test_real_samples(tmp_path: Path, kind: str) -> None:
    annotations = tmp_path / "annotations"
    annotations.mkdir()
    path = annotations / "panoptic_val2017.json"
    path.symlink_to(REAL / "panoptic_examples.json")
    (annotations / "panoptic_val2017").symlink_to(REAL / "panoptic_examples")
    (tmp_path / "val2017").symlink_to(REAL / "input_images")
    expected = plain_labels(path, crowd=kind == "all")
    assert_same(load_labels("coco_panoptic", tmp_path, "val", labels=kind), expected)
    spec = pairs_of("coco_panoptic", tmp_path, "val").spec
    categories = json.loads((REAL / "panoptic_coco_categories.json").read_text())
    assert list(spec.classes) == [category["name"] for category in categories]
    assert [list(color) for color in spec.colors] == [c["color"] for c in categories]


def test_all_classes_of_coco(tmp_path: Path) -> None:
    """A round trip: one segment of each category, with ids at both ends of their range."""
    count = 133
    path = write_panoptic(tmp_path, names=("a",))
    ids = [1, (1 << 24) - 1, 255, 256, 65535, 65536, *range(1000, 1000 + 60000 * 127, 60000)]
    categories = [
        {"id": 3 * i + 1, "name": f"class {i}", "color": [i, 1, 2], "isthing": 1}
        for i in reversed(range(count))
    ]
    segments = [{"id": ids[i], "category_id": 3 * i + 1} for i in range(count)]
    entries = [{"file_name": "a.png", "segments_info": segments}]
    path.write_text(json.dumps({"categories": categories, "annotations": entries}))
    pixels = np.resize(np.array(ids), (40, 50))
    packed = np.stack([pixels % 256, pixels // 256 % 256, pixels // 65536], axis=-1)
    write_label(path.with_suffix("") / "a.png", packed)
    (label,) = load_labels("coco_panoptic", tmp_path, "val")
    assert np.array_equal(label, np.resize(np.arange(count)[::-1], (40, 50)))


def test_training_crops(root: Path) -> None:
    tree = {
        "dataset": {"name": "coco_panoptic", "root": str(root)},
        "augment": {"crop_size": [16, 20], "flip": 0},
        "loader": {"batch_size": 3, "device": "cpu", "threads": 2},
    }
    whole = plain_labels(root / "annotations/panoptic_train2017.json")
    windows = [
        np.lib.stride_tricks.sliding_window_view(label, (16, 20)).reshape(-1, 16, 20)
        for label in whole
    ]
    with build_loader(parse_config(tree), split="train") as loader:
        crops = [label.numpy() for _, labels in loader for label in labels]
    seen = []
    for crop in crops:
        seen += [i for i, all_of in enumerate(windows) if (all_of == crop).all(axis=(1, 2)).any()]
    assert sorted(seen) == list(range(len(whole)))


@pytest.mark.parametrize("ignore", [0, 300, 65534])
@pytest.mark.parametrize("keep", ["none", "encoded", "decoded"])
def test_hundreds_of_classes(tmp_path: Path, keep: str, ignore: int) -> None:
    names = [f"c{k}" for k in range(300)]
    path = write_panoptic(tmp_path, split="train2017", names=("a", "b"), count=40)
    values = json.loads(path.read_text())
    values["categories"] = [
        {"id": k, "name": name, "color": [k % 256, k // 256, 9]} for k, name in enumerate(names)
    ]
    segments = [s for entry in values["annotations"] for s in entry["segments_info"]]
    for number, segment in enumerate(segments):
        segment["category_id"] = 299 - number if number < 40 else number  # never 255
    path.write_text(json.dumps(values))
    expected = [np.where(label == 255, ignore, label) for label in plain_labels(path)]
    tree = {
        "dataset": {"name": "coco_panoptic", "root": str(tmp_path)},
        "augment": {"validation": "full"},
        "labels": {"ignore_index": ignore},
        "cache": {"keep": keep, "memory": 0.1},
        "loader": {"batch_size": 2, "device": "cpu"},
    }
    with build_loader(parse_config(tree), split="train2017", training=False) as loader:
        for _ in range(2):
            (batch,) = loader
            assert_same([label[:40, :50].numpy() for label in batch.labels], expected)


@pytest.mark.parametrize("ignore", [0, 4, 255])
def test_crops_around_classes_above_the_ignored_one(root: Path, ignore: int) -> None:
    whole = plain_labels(root / "annotations/panoptic_train2017.json")
    tree = {
        "dataset": {"name": "coco_panoptic", "root": str(root)},
        "augment": {"crop_size": [3, 3], "class_crop": 1.0, "class_weights": [0, 0, 0, 1]},
        "labels": {"ignore_index": ignore},
        "loader": {"batch_size": 7, "device": "cpu"},
    }
    shown = np.array([(label == 3).any() for label in whole])
    assert shown.any()
    with build_loader(parse_config(tree), split="train") as loader:
        for _, labels in loader:
            for sample, label in zip(loader.in_hand.samples, labels, strict=True):
                assert not shown[sample] or (label == 3).any()


def test_packed_is_the_same(root: Path, tmp_path: Path) -> None:
    config = parse_config({"dataset": {"name": "coco_panoptic", "root": str(root)}})
    pack_split(config, tmp_path / "packed", split="val")
    found = load_labels("packed", tmp_path / "packed", "val")
    assert_same(found, plain_labels(root / "annotations/panoptic_val2017.json"))


def test_other_segments_are_noticed(root: Path) -> None:
    config = parse_config({"dataset": {"name": "coco_panoptic", "root": str(root)}})
    indices = [pairs_of("coco_panoptic", root, "train", labels=kind) for kind in ("all", "nocrowd")]
    assert indices[0].digest() == indices[1].digest()
    prints = [fingerprint(config, index, training=True) for index in indices]
    assert {key for key in prints[0] if prints[0][key] != prints[1][key]} == {"classes"}


def test_select(root: Path) -> None:
    index = pairs_of("coco_panoptic", root, "train")
    chosen = index.select([5, 0, 5])
    assert index.segments is not None
    assert chosen.segments is not None
    assert paths_of(chosen) == [paths_of(index)[i] for i in (5, 0, 5)]
    table, expected = (
        np.sort(s.table(np.array(rows)), axis=1)
        for s, rows in ((chosen.segments, [0, 1, 2]), (index.segments, [5, 0, 5]))
    )
    assert np.array_equal(table, expected)


def test_folders_elsewhere(root: Path) -> None:
    (root / "images").mkdir()
    (root / "val2017").rename(root / "images/val2017")
    (root / "annotations/panoptic_val2017").rename(root / "panoptic_val2017")
    assert paths_of(pairs_of("coco_panoptic", root, "val"))[0] == (
        f"{root}/images/val2017/b.jpg",
        f"{root}/panoptic_val2017/b.png",
    )
    (root / "panoptic_val2017").rename(root / "panoptic")
    with pytest.raises(DatasetError, match=r"no folder '.*panoptic_val2017' in it, .*the labels$"):
        pairs_of("coco_panoptic", root, "val")


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"split 'test', there are: train2017, val2017$"):
        pairs_of("coco_panoptic", root, "test")
    with pytest.raises(DatasetError, match=r"no folder 'annotations' in it.* did you mean"):
        pairs_of("coco_panoptic", root.parent, "val")
    for name in "zyxw":
        (root / f"annotations/panoptic_train2017/{name}.png").unlink()
    (root / "annotations/panoptic_train2017/v.png").rename(
        root / "annotations/panoptic_train2017/q.png"
    )
    (root / "train2017/t.jpg").unlink()
    expected = (
        r"panoptic_train2017.json: .* found no file in .*annotations/panoptic_train2017 for 5 "
        r"\(v, w, x and 2 more\), and no entry for 1 \(q\), and no image in .*/train2017 for 1 "
        r"\(t\)$"
    )
    with pytest.raises(DatasetError, match=expected):
        pairs_of("coco_panoptic", root, "train")
    assert len(pairs_of("coco_panoptic", root, "train", must_exist=False)) == 7


def _no_categories(values: Any) -> None:
    del values["categories"]


def _no_annotations(values: Any) -> None:
    values["annotations"] = []


def _detection_format(values: Any) -> None:
    values["annotations"][1] = {"image_id": 3, "category_id": 1, "bbox": [1, 2, 3, 4]}


def _entry_twice(values: Any) -> None:
    values["annotations"] += [values["annotations"][0]]


def _impossible_id(values: Any) -> None:
    values["annotations"][2]["segments_info"].append({"id": 1 << 24, "category_id": 1})


def _id_twice(values: Any) -> None:
    values["annotations"][1]["segments_info"] *= 2


def _strange_category(values: Any) -> None:
    for entry in values["annotations"]:
        entry["segments_info"][0]["category_id"] = 8


def _same_names(values: Any) -> None:
    values["categories"] = [{**CATEGORIES[0], "id": 50}, *CATEGORIES]


def _bad_color(values: Any) -> None:
    values["categories"] = [{**CATEGORIES[0], "color": [1, 2, 300]}, *CATEGORIES[1:]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (_no_categories, "found no 'categories', expected a panoptic JSON"),
        (_no_annotations, "found no entries in 'annotations'"),
        (_detection_format, "entry 1 of 'annotations' is not of the panoptic format"),
        (_entry_twice, r"found more than one entry for 1 files \(b\)"),
        (_impossible_id, r"c\.png: found segment id 16777216, expected 1 to 16777215 \(1 such"),
        (_id_twice, r"a\.png: found once more segment id \d+, expected it once \(\d+ such"),
        (_strange_category, "found 3 segments of category_id 8, expected one of its 4 'categ"),
        (_same_names, "two of its 'categories' have the same name"),
        (_bad_color, r"'categories': colour \(1, 2, 300\): expected three values"),
    ],
)
def test_json_that_is_not_sound(root: Path, change: Callable[[Any], None], expected: str) -> None:
    path = root / "annotations/panoptic_val2017.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=rf"panoptic_val2017\.json: .*{expected}"):
        pairs_of("coco_panoptic", root, "val")


def test_json_that_is_cut_off(root: Path) -> None:
    path = root / "annotations/panoptic_val2017.json"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(DatasetError, match=r"not JSON to its end, expected panoptic annotations$"):
        pairs_of("coco_panoptic", root, "val")


def test_labels_that_do_not_fit_their_entry(root: Path) -> None:
    folder = root / "annotations/panoptic_val2017"
    (folder / "c.png").write_bytes((folder / "a.png").read_bytes())
    with pytest.raises(Exception, match=r"c\.png: colour \(.*\) is not in the label table"):
        load_labels("coco_panoptic", root, "val")


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/coco_panoptic.yaml")
    assert config.dataset.name == "coco_panoptic"
    assert config.dataset.labels == "all"
