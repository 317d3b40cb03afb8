"""`mapillary`: values are places in a list of JSON that comes with the data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from whole_labels import by_value, load_labels, pairs_of, paths_of, write_image, write_label

from dali_voc import load_config
from dali_voc.datasets.mapillary import KINDS
from dali_voc.errors import DatasetError

# name, readable name, whether it is evaluated
LABELS = {
    "v1.2": [
        ("animal--bird", "Bird", True),
        ("void--dynamic", "Dynamic", False),
        ("object--vehicle--car", "Car", True),
        ("void--unlabeled", "Unlabeled", False),
    ],
    "v2.0": [
        ("animal--bird", "Bird", True),
        ("object--car", "Car", True),
        ("object--vehicle--car", "Car", True),
        ("construction--ambiguous", "Ambiguous", False),
        ("void--unlabeled", "Unlabeled", False),
    ],
}
CLASS_OF = {"v1.2": {0: 0, 2: 1}, "v2.0": {0: 0, 1: 1, 2: 2}}
# two labels of one colour, and palettes that are none of VOC's
COLORS = [(165, 42, 42), (9, 9, 9), (0, 0, 142), (9, 9, 9), (0, 0, 0)]


def listed(kind: str) -> dict[str, Any]:
    return {
        "version": kind,
        "labels": [
            {"name": n, "readable": r, "evaluate": e, "instances": True, "color": list(COLORS[k])}
            for k, (n, r, e) in enumerate(LABELS[kind])
        ],
    }


def stored(kind: str, shift: int) -> np.ndarray[Any, Any]:
    return np.roll(np.arange(12).reshape(3, 4) % len(LABELS[kind]), shift)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "mapillary"
    for folder, names in ("training", ("b", "a")), ("validation", ("c",)):
        for shift, name in enumerate(names):
            write_image(root / f"{folder}/images/{name}.jpg", (3, 4))
            for kind in KINDS:
                path = root / f"{folder}/{kind}/labels/{name}.png"
                write_label(path, stored(kind, shift), palette=COLORS)
    for kind in KINDS:
        (root / f"config_{kind}.json").write_text(json.dumps(listed(kind)))
    write_image(root / "testing/images/d.jpg", (3, 4))
    return root


@pytest.mark.parametrize("kind", KINDS)
def test_values_are_places_in_the_list(root: Path, kind: str) -> None:
    for split in "train", "training":
        found = load_labels("mapillary", root, split, labels=kind)
        assert len(found) == 2
        for shift, label in zip((1, 0), found, strict=True):
            assert np.array_equal(label, by_value(stored(kind, shift), CLASS_OF[kind]))
    (pair,) = paths_of(pairs_of("mapillary", root, "val", labels=kind))
    assert pair == (f"{root}/validation/images/c.jpg", f"{root}/validation/{kind}/labels/c.png")


def test_classes(root: Path) -> None:
    index = pairs_of("mapillary", root, "train")
    assert index.spec.classes == ("Bird", "Car")
    assert index.spec.colors == (COLORS[0], COLORS[2])
    assert index.made_from == (f"{root}/config_v1.2.json",)
    # two classes are called alike there
    found = pairs_of("mapillary", root, "train", labels="v2.0").spec.classes
    assert found == ("animal--bird", "object--car", "object--vehicle--car")


def test_other_classes(root: Path) -> None:
    (label,) = load_labels(
        "mapillary", root, "val", classes=["car", "rest"], map={"Car": "car", "*": "rest", 1: "car"}
    )
    assert np.array_equal(label, by_value(stored("v1.2", 0), {0: 1, 1: 0, 2: 0}))


def test_the_first_releases(root: Path) -> None:
    (root / "config_v1.2.json").rename(root / "config.json")
    (root / "config_v2.0.json").unlink()
    for folder in "training", "validation":
        (root / folder / "v1.2/labels").rename(root / folder / "labels")
    (label,) = load_labels("mapillary", root, "val")
    assert np.array_equal(label, by_value(stored("v1.2", 0), CLASS_OF["v1.2"]))
    with pytest.raises(DatasetError, match=r"no file 'config_v2\.0\.json' in it"):
        pairs_of("mapillary", root, "val", labels="v2.0")


def test_pictures_without_labels(root: Path) -> None:
    index = pairs_of("mapillary", root, "test", unlabeled=True)
    assert index.images[0] == f"{root}/testing/images/d.jpg"
    assert len(index) == 1
    assert index.labeled.tolist() == []


def test_a_value_that_is_not_in_the_list(root: Path) -> None:
    write_label(root / "validation/v1.2/labels/c.png", stored("v1.2", 0) + 1, palette=COLORS)
    with pytest.raises(Exception, match=r"c\.png: palette index 4 is not in the label table.* 0-3"):
        load_labels("mapillary", root, "val")


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'tra', there are: testing, training, val"):
        pairs_of("mapillary", root, "tra")
    with pytest.raises(DatasetError, match=rf"no file 'config_v1\.2\.json'.*did you mean {root}"):
        pairs_of("mapillary", root.parent, "train")
    (root / "training/v1.2/labels/a.png").unlink()
    with pytest.raises(DatasetError, match=r"no \*\.png for 1 image \(a\)"):
        pairs_of("mapillary", root, "train")


A = {"name": "a", "readable": "A", "evaluate": True, "color": [0, 1, 2]}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON, expected a list of labels"),
        ("[]", r"not a list of Mapillary's labels \(Input should be "),
        ('{"labels": []}', r"labels: .*at least 1 item"),
        ('{"labels": [{"name": "a"}]}', r"labels\.0\.readable: Field required"),
        (json.dumps({"labels": [{**A, "color": [0, 1, 256]}]}), r"labels\.0\.color\.2: .*255"),
        (json.dumps({"labels": [{**A, "evaluate": False}]}), "none is evaluated"),
        (json.dumps({"labels": [A, A]}), "'a' is there twice"),
    ],
)
def test_a_list_that_is_none(root: Path, text: str, problem: str) -> None:
    (root / "config_v1.2.json").write_text(text)
    with pytest.raises(DatasetError, match=rf"config_v1\.2\.json: .*{problem}"):
        pairs_of("mapillary", root, "train")


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/mapillary.yaml")
    assert config.dataset.labels == KINDS[0]
