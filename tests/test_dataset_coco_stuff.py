"""`coco_stuff`: 182 numbers to 171 classes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from whole_labels import load_labels, pairs_of, paths_of, read_label, write_image, write_label

from dali_voc import load_config
from dali_voc.datasets.coco_stuff import COCO_STUFF_SPEC
from dali_voc.errors import DatasetError

# values in files of the 11 categories that occur nowhere
UNUSED = [11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90]
USED = np.delete(np.arange(182), UNUSED)
CATEGORIES = SHARED / "data/coco/panoptic_coco_categories.json"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    values = np.array([*USED, 255]).reshape(4, 43)
    for split, ids in ("train2017", (9, 25, 30)), ("val2017", (139,)):
        for number in ids:
            write_image(tmp_path / f"coco/images/{split}/{number:012d}.jpg", values.shape)
            label = np.roll(values, number, axis=1)
            write_label(tmp_path / f"coco/stuffthingmaps/{split}/{number:012d}.png", label)
    return tmp_path / "coco"


def test_numbers_become_classes(root: Path) -> None:
    expected = np.array([*range(171), 255]).reshape(4, 43)
    for split in "train", "train2017":
        found = load_labels("coco_stuff", root, split)
        assert len(found) == 3
        for number, label in zip((9, 25, 30), found, strict=True):
            assert np.array_equal(label, np.roll(expected, number, axis=1))


@pytest.mark.parametrize("value", [*UNUSED, 182])
def test_numbers_that_are_no_class(root: Path, value: int) -> None:
    write_label(root / "stuffthingmaps/val2017/000000000139.png", np.full((4, 43), value))
    reason = (
        rf"0139\.png: value {value} is not in the label table, found in 172 pixels; expected 0-10, "
        r"12-24, 26-27, 30-43, 45-64, 66, 69, 71-81, \.\.\. \(172 values\)"
    )
    with pytest.raises(Exception, match=reason):
        load_labels("coco_stuff", root, "val")


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'test', there are: train2017, val2017"):
        pairs_of("coco_stuff", root, "test")
    (root / "images/train2017/000000000025.jpg").unlink()
    with pytest.raises(DatasetError, match=r"found no \*\.jpg for 1 label \(000000000025\)$"):
        pairs_of("coco_stuff", root, "train")
    (root / "stuffthingmaps").rename(root / "annotations")
    with pytest.raises(DatasetError, match="no folder 'stuffthingmaps' in it, expected the root"):
        pairs_of("coco_stuff", root, "val")


def test_paths(root: Path) -> None:
    (pair,) = paths_of(pairs_of("coco_stuff", root, "val"))
    name = "val2017/000000000139"
    assert pair == (f"{root}/images/{name}.jpg", f"{root}/stuffthingmaps/{name}.png")


def test_classes() -> None:
    names = COCO_STUFF_SPEC.classes
    assert len(set(names)) == 171
    assert len({*COCO_STUFF_SPEC.colors, *COCO_STUFF_SPEC.void_colors}) == 172
    (label_map,) = COCO_STUFF_SPEC.maps
    of_value = {value: names[i] for value, i in label_map.values if i is not None}
    # numbers in the list of the authors, less one
    some = {1: "person", 13: "stop sign", 90: "toothbrush", 92: "banner", 149: "road", 182: "wood"}
    assert {number: of_value[number - 1] for number in some} == some


def test_no_name_has_moved() -> None:
    """The hash is of mmsegmentation 1.2.2's `COCOStuffDataset`: a check of 171 names in order."""
    names = "\n".join(COCO_STUFF_SPEC.classes)
    assert hashlib.sha256(names.encode()).hexdigest()[:16] == "8ea44449837dceb3"


def test_things_are_those_of_coco() -> None:
    if not CATEGORIES.is_file():
        pytest.skip(f"no real samples at {CATEGORIES}")
    (label_map,) = COCO_STUFF_SPEC.maps
    of_value = dict(label_map.values)
    things = [c for c in json.loads(CATEGORIES.read_text()) if c["isthing"]]
    assert [of_value[thing["id"] - 1] for thing in things] == list(range(80))
    assert [thing["name"] for thing in things] == list(COCO_STUFF_SPEC.classes[:80])


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/coco_stuff.yaml")
    assert config.dataset.name == "coco_stuff"


def test_indexed_files(root: Path) -> None:
    """The authors call their files indexed: with a palette, the index counts."""
    path = root / "stuffthingmaps/val2017/000000000139.png"
    (plain,) = load_labels("coco_stuff", root, "val")
    values = read_label(path)
    path.unlink()
    write_label(path, values, [(i, i, i) for i in range(256)])
    (indexed,) = load_labels("coco_stuff", root, "val")
    assert np.array_equal(indexed, plain)
