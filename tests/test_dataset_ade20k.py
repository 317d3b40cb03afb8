"""`ade20k`: with value 0 ignored, or as a class of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from whole_labels import (
    by_value,
    load_labels,
    pairs_of,
    paths_of,
    read_label,
    write_image,
    write_label,
)

from dali_voc import load_config
from dali_voc.datasets.ade20k import ADE20K_SPEC, ADE20K_SPEC_WITH_OTHER, KINDS
from dali_voc.errors import DatasetError

REAL = SHARED / "data/ade20k/ADEChallengeData2016"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real samples at {REAL}")
ALL = np.arange(151).reshape(1, 151)
REDUCED = {value: value - 1 for value in range(1, 151)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "ADEChallengeData2016"
    for folder, split, ids in ("training", "train", (7, 3, 11)), ("validation", "val", (1,)):
        for number in ids:
            name = f"ADE_{split}_{number:08d}"
            label = np.roll(ALL, number, axis=1)
            write_image(root / f"images/{folder}/{name}.jpg", label.shape)
            write_label(root / f"annotations/{folder}/{name}.png", label)
    return root


def test_zero_is_ignored(root: Path) -> None:
    for split in "train", "training":
        found = load_labels("ade20k", root, split)
        assert len(found) == 3
        for number, label in zip((3, 7, 11), found, strict=True):
            assert np.array_equal(label, by_value(np.roll(ALL, number, axis=1), REDUCED))
            assert set(np.unique(label)) == {*range(150), 255}


def test_zero_is_a_class(root: Path) -> None:
    (label,) = load_labels("ade20k", root, "val", labels="keep_zero_label")
    assert np.array_equal(label, np.roll(ALL, 1, axis=1))


def test_paths(root: Path) -> None:
    (pair,) = paths_of(pairs_of("ade20k", root, "validation"))
    name = "validation/ADE_val_00000001"
    assert pair == (f"{root}/images/{name}.jpg", f"{root}/annotations/{name}.png")


def test_a_value_that_is_no_class(root: Path) -> None:
    write_label(root / "annotations/validation/ADE_val_00000001.png", ALL + 1)
    for kind in KINDS:
        with pytest.raises(Exception, match=r"val_00000001\.png: value 151 is not in the label"):
            load_labels("ade20k", root, "val", labels=kind)


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match="no split 'test', there are: training, validation"):
        pairs_of("ade20k", root, "test")
    with pytest.raises(DatasetError, match=f"no folder 'images' in it.*did you mean {root}"):
        pairs_of("ade20k", root.parent, "train")
    with pytest.raises(DatasetError, match=r"'reduce_zero', expected one of: .* did you mean"):
        pairs_of("ade20k", root, "train", labels="reduce_zero")
    for path in (root / "annotations/training").iterdir():
        path.unlink()
    names = ", ".join(f"ADE_train_{number:08d}" for number in (3, 7, 11))
    with pytest.raises(DatasetError, match=rf"no \*\.png for 3 images \({names}\)$"):
        pairs_of("ade20k", root, "train")
    (root / "images/training2").mkdir()
    with pytest.raises(DatasetError, match=r"training2: found no images, expected \*\.jpg$"):
        pairs_of("ade20k", root, "training2")


def test_specs() -> None:
    assert len(set(ADE20K_SPEC.classes)) == 150
    assert ADE20K_SPEC_WITH_OTHER.classes == ("other", *ADE20K_SPEC.classes)
    places = {
        0: ("wall", (120, 120, 120)),
        12: ("person", (150, 5, 61)),
        149: ("flag", (92, 0, 255)),
    }
    for index, (name, color) in places.items():
        assert ADE20K_SPEC.classes[index] == name
        assert ADE20K_SPEC.colors[index] == color


def test_no_colour_has_moved() -> None:
    """The hash is of the palette of mmsegmentation 1.2.2's `ADE20KDataset`."""
    palette = np.array(ADE20K_SPEC.colors, np.uint8).tobytes()
    assert hashlib.sha256(palette).hexdigest()[:16] == "ce475c9151035eff"


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/ade20k.yaml")
    assert config.dataset.labels in KINDS


@needs_real
def test_names_are_those_of_the_data_set() -> None:
    lines = (REAL / "objectInfo150.txt").read_text().splitlines()[1:]
    for name, line in zip(ADE20K_SPEC.classes, lines, strict=True):
        assert name in [synonym.strip() for synonym in line.split("\t")[-1].split(",")]


@needs_real
@pytest.mark.parametrize("split", ["training", "validation"])
def test_real_labels(split: str) -> None:
    (path,) = (REAL / "annotations" / split).iterdir()
    values = read_label(path)
    assert len(np.unique(values)) > 5
    (kept,) = load_labels("ade20k", REAL, split, labels="keep_zero_label")
    assert np.array_equal(kept, values)
    (reduced,) = load_labels("ade20k", REAL, split)
    assert np.array_equal(reduced, np.where(values == 0, 255, values.astype(int) - 1))


def test_folders_that_are_called_as_splits_are(root: Path) -> None:
    for side in "images", "annotations":
        (root / side / "training").rename(root / side / "train")
    assert len(pairs_of("ade20k", root, "train")) == 3
    assert len(pairs_of("ade20k", root, "val")) == 1
    with pytest.raises(DatasetError, match="found no split 'training', there are: train, validat"):
        pairs_of("ade20k", root, "training")
