"""`camvid`: colours of class_dict.csv, and gray labels of 16 bits."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED
from PIL import Image
from whole_labels import (
    load_labels,
    load_pairs,
    pairs_of,
    paths_of,
    read_label,
    write_image,
    write_label,
)

from dali_voc import load_config
from dali_voc.errors import DatasetError

REAL = SHARED / "data/camvid"
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason=f"no real samples at {REAL}")
ROWS = [("Sky", 128, 128, 128), ("Void", 0, 0, 0), ("Road", 128, 64, 128), ("Car", 64, 0, 128)]
ALL = np.arange(4).reshape(2, 2)
CLASS_OF_ROW = np.array([0, 255, 1, 2])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A label with all rows; only one of two pictures has 16 bits."""
    rows = ["name,r,g,b", *(",".join(map(str, row)) for row in ROWS)]
    (tmp_path / "class_dict.csv").write_text("\n".join(rows))
    palette = np.array([row[1:] for row in ROWS])
    for name in "01TP_2", "01TP_1":
        write_image(tmp_path / f"train/{name}.png", ALL.shape)
        write_label(tmp_path / f"train_labels/{name}_L.png", palette[ALL])
    (tmp_path / "train_labels_16bit").mkdir()
    wide = Image.fromarray(ALL.astype(np.uint16))
    wide.save(tmp_path / "train_labels_16bit/01TP_2_L.png")
    return tmp_path


def test_all_rows(root: Path) -> None:
    index = pairs_of("camvid", root, "train")
    assert index.spec.classes == ("Sky", "Road", "Car")
    assert paths_of(index)[0] == (
        f"{root}/train/01TP_1.png",
        f"{root}/train_labels/01TP_1_L.png",
    )
    found = load_labels("camvid", root, "train")
    assert len(found) == 2
    assert all(np.array_equal(label, CLASS_OF_ROW[ALL]) for label in found)


def test_16_bits(root: Path) -> None:
    assert pairs_of("camvid", root, "train", labels="16bit").images[0].endswith("train/01TP_2.png")
    (label,) = load_labels("camvid", root, "train", labels="16bit")
    assert np.array_equal(label, CLASS_OF_ROW[ALL])
    with pytest.raises(DatasetError, match=r"val_labels_16bit: found no labels, .*are: train"):
        pairs_of("camvid", root, "val", labels="16bit")


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match=r"found no images, .*; splits there are: train$"):
        pairs_of("camvid", root, "val")
    (root / "train_labels/01TP_1_L.png").unlink()
    with pytest.raises(DatasetError, match=r"_L\.png for 1 image \(01TP_1\)"):
        pairs_of("camvid", root, "train")
    with pytest.raises(DatasetError, match=rf"no file 'class_dict\.csv'.*; did you mean {root}\?"):
        pairs_of("camvid", root / "train", "train")
    (root / "class_dict.csv").unlink()
    with pytest.raises(DatasetError, match=r"no file 'class_dict\.csv' in it, .* root of CamVid$"):
        pairs_of("camvid", root, "train")


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/camvid.yaml")
    assert config.dataset.labels == "color"


def real_rows() -> list[tuple[str, tuple[int, int, int]]]:
    with (REAL / "class_dict.csv").open() as file:
        rows = list(csv.reader(file))[1:]
    return [(name, (int(r), int(g), int(b))) for name, r, g, b in rows]


@needs_real
@pytest.mark.parametrize("split", ["train", "val"])
def test_real_pairs(split: str) -> None:
    colors = [color for name, color in real_rows() if name != "Unlabelled"]
    assert len(colors) == 11
    photographs = sorted((REAL / split).iterdir())
    found = load_pairs("camvid", REAL, split)
    assert len(found) == len(photographs) == {"train": 32, "val": 16}[split]
    for path, (image, label) in zip(photographs, found, strict=True):
        assert np.array_equal(image, np.array(Image.open(path)))
        stored = read_label(REAL / f"{split}_labels/{path.stem}_L.png")
        expected = np.full(stored.shape[:2], 255)
        for index, color in enumerate(colors):
            expected[(stored == color).all(2)] = index
        assert np.array_equal(label, expected), path


@needs_real
def test_real_labels_of_16_bits() -> None:
    """Their values are rows; but for value 0 they agree with the colours."""
    names = [name for name, _ in real_rows()]
    assert names[-1] == "Unlabelled"
    lut = np.array([*range(len(names) - 1), 255])
    paths = sorted((REAL / "train_labels_16bit").iterdir())
    by_color = {
        path.stem: label
        for path, label in zip(
            sorted((REAL / "train_labels").iterdir()),
            load_labels("camvid", REAL, "train"),
            strict=True,
        )
    }
    found = load_labels("camvid", REAL, "train", labels="16bit")
    assert len(found) == len(paths) == 8
    for path, label in zip(paths, found, strict=True):
        stored = read_label(path)
        assert np.array_equal(label, lut[stored])
        assert np.array_equal(label[stored != 0], by_color[path.stem][stored != 0])
