"""`voc_layout`: VOC's folders with classes of their own, by value and by colour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whole_labels import by_value, load_labels, pairs_of, read_label, write_image, write_label

from dali_voc import load_config
from dali_voc.errors import DatasetError
from dali_voc.labels import voc_colormap

CLASSES = ["soil", "crop", "weed"]
VALUES = np.array([[0, 1, 2, 255, 1], [2, 2, 1, 0, 255]])
WIDE = np.array([[0, 700, 9, 0, 9], [700, 9, 9, 0, 255]])
COLORS = {0: (10, 20, 30), 1: (200, 100, 0), 2: (7, 7, 7), 255: (255, 255, 255)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One picture with labels of each kind, in folders of their own."""
    write_image(tmp_path / "JPEGImages/field.jpg", VALUES.shape)
    write_label(tmp_path / "SegmentationClass/field.png", VALUES)
    write_label(tmp_path / "Palette/field.png", VALUES, voc_colormap(256))
    colors = np.array([[COLORS[int(value)] for value in row] for row in VALUES])
    write_label(tmp_path / "Colors/field.png", colors)
    write_label(tmp_path / "Small/field.png", WIDE % 100)
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("field\n")
    return tmp_path


def load(root: Path, **keys: Any) -> np.ndarray:
    (label,) = load_labels("voc_layout", root, "train", **keys)
    return label


@pytest.mark.parametrize(
    ("folder", "palette"),
    [(None, "color"), ("SegmentationClass", "index"), ("Palette", "index"), ("Palette", "color")],
)
def test_values_are_class_indices(root: Path, folder: str | None, palette: str) -> None:
    found = load(root, classes=CLASSES, labels=folder, reading={"palette": palette})
    assert np.array_equal(found, read_label(root / "SegmentationClass/field.png"))


def test_labels_elsewhere(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """By an absolute path, as where the data lie in a folder that cannot be written to."""
    folder = tmp_path_factory.mktemp("pseudo")
    write_label(folder / "field.png", VALUES)
    found = load(root, classes=CLASSES, labels=str(folder), reading={"palette": "index"})
    assert np.array_equal(found, VALUES)


def test_map_by_value(root: Path) -> None:
    found = load(root, classes=CLASSES, labels="Small", map={0: "weed", 9: "crop", 55: None})
    assert np.array_equal(found, by_value(WIDE % 100, {0: 2, 9: 1}))
    # 1 and 2 are no values of these labels, though they are indices of classes
    with pytest.raises(
        Exception, match=r"field\.png: value 2 is not in .*; expected 0-1, 255; dataset\.map says"
    ):
        load(root, classes=CLASSES, map={0: "weed", 1: "crop"})


def test_map_by_color(root: Path) -> None:
    colors = {"10, 20, 30": "weed", "#c86400": "weed", "7,7,7": "soil", "#ffffff": None}
    found = load(root, classes=CLASSES, labels="Colors", map=colors)
    assert np.array_equal(found, by_value(VALUES, {0: 2, 1: 2, 2: 0}))


def test_classes_and_colors_of_a_file(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "classes.json"
    colors = [COLORS[i] for i in range(3)]
    path.write_text(json.dumps({"classes": CLASSES, "colors": colors, "void_colors": [[255] * 3]}))
    found = load(root, classes=str(path), labels="Colors")
    assert np.array_equal(found, VALUES)
    # the colours of the file stay where the map is of values
    assert np.array_equal(load(root, classes=str(path), labels="Colors", map={5: "crop"}), VALUES)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({}, r"dataset\.classes: found null, expected names or a file: voc_layout has no classes"),
        ({"classes": ("a", "b"), "map": {"a": "b"}}, r"found the key 'a', expected a value or a"),
        ({"classes": ("crop", "b"), "map": {3: "crops"}}, r"3 becomes 'crops', .* mean 'crop'\?"),
        ({"classes": ("a",), "map": {70000: "a"}}, "value 70000: expected 0 to 65535"),
        ({"classes": ("a",), "labels": "Masks"}, "no folder 'Masks' in it, expected the root of a"),
        ({"classes": ("a",), "images": "*.jpg"}, r"dataset\.images: voc_layout does not take it"),
    ],
)
def test_what_does_not_fit(root: Path, keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        pairs_of("voc_layout", root, "train", **keys)


def test_configuration(root: Path) -> None:
    path = Path(__file__).parents[1] / "configs/voc_layout.yaml"
    dataset = load_config(path, overrides=[f"dataset.root={root}"]).dataset
    index = pairs_of(dataset.name, dataset.path, "train", classes=dataset.options.classes)
    assert index.spec.classes[0] == "background"


def test_real_labels(real_voc: Path) -> None:
    """VOC itself, its animals as one class, by index."""
    classes = ["background", "animal", "other"]
    animals = (3, 8, 10, 12, 13, 17)
    values = {
        0: "background",
        **dict.fromkeys(range(1, 21), "other"),
        **dict.fromkeys(animals, "animal"),
    }
    found = load_labels(
        "voc_layout", real_voc, "val", classes=classes, map=values, reading={"palette": "index"}
    )
    ids = (real_voc / "ImageSets/Segmentation/val.txt").read_text().split()
    assert len(found) == len(ids)
    lut = np.full(256, 255)
    lut[:21], lut[0], lut[list(animals)] = 2, 0, 1
    for name, label in zip(ids, found, strict=True):
        assert np.array_equal(label, lut[read_label(real_voc / f"SegmentationClass/{name}.png")])
