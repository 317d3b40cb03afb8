"""Files that say what classes are called, and nothing more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from whole_labels import load_labels, write_image, write_label

from dali_voc import DatasetError
from dali_voc.datasets import DatasetOptions, find_pairs

NAMES = ["soil", "crop", "a weed"]
TEXTS = {
    "names.txt": "\ufeffsoil\ncrop \n\na weed\n",
    "list.json": json.dumps(NAMES),
    "id2label.json": json.dumps({"0": "soil", "2": "a weed", "1": "crop"}),
    "label2id.json": json.dumps({"soil": 0, "a weed": 2, "crop": 1}),
}


def find(root: Path, name: str) -> tuple[str, ...]:
    options = DatasetOptions(images="i/*.png", masks="m/*.png", classes=Path(name))
    index = find_pairs("folder", root, "train", options=options)
    assert str(root / name) in index.made_from
    return index.spec.classes


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_image(tmp_path / "i/a.png", (2, 3))
    write_label(tmp_path / "m/a.png", np.array([[0, 1, 2], [2, 255, 0]]))
    return tmp_path


@pytest.mark.parametrize("name", TEXTS)
def test_as_if_they_stood_in_the_configuration(root: Path, name: str) -> None:
    (root / name).write_text(TEXTS[name])
    assert find(root, name) == tuple(NAMES)
    keys = {"images": "i/*.png", "masks": "m/*.png"}
    (label,) = load_labels("folder", root, "train", classes=name, **keys)
    assert np.array_equal(label, [[0, 1, 2], [2, 255, 0]])
    keys["map"] = {0: "a weed", 1: "soil", 2: "crop"}  # type: ignore[assignment]
    (label,) = load_labels("folder", root, "train", classes=name, **keys)
    assert np.array_equal(label, [[2, 0, 1], [1, 255, 2]])


def test_the_list_of_classes_is_no_list_of_a_split(root: Path) -> None:
    for name in "classes.txt", "categories.txt":
        (root / name).write_text(TEXTS["names.txt"])
        assert find(root, name) == tuple(NAMES)
    with pytest.raises(DatasetError, match=r"train\.txt: no such file, .* there are: categories"):
        find(root, "classes.txt")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", "\n\n", "found no classes"),
        ("a.txt", "x\nx\n", "'x' is there twice"),
        ("a.txt", "# names\nroad\n", "found '# names', expected the name of a class on each line"),
        ("a.txt", "64,128,64 Animal\n", "colours stand in a class_dict.csv or JSON"),
        ("a.json", "[]", "found no classes"),
        ("a.json", '{"1": "x", "2": "y"}', "numbered 1 to 2, expected each number from 0 to 1"),
        ("a.json", '{"0": 1}', "not a class list"),
        ("a.json", "[1, 2]", "not a class list"),
        ("a.json", '{"x": 0, "y": 1, "z": 1}', "not a class list"),
        ("a.json", "{", "not JSON"),
    ],
)
def test_what_is_no_list_of_names(root: Path, name: str, text: str, words: str) -> None:
    (root / name).write_text(text)
    with pytest.raises(DatasetError, match=words):
        find(root, name)
