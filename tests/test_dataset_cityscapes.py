"""`cityscapes`: three kinds of label files, city folders, fine and coarse labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SHARED
from PIL import Image
from whole_labels import (
    by_value,
    load_labels,
    load_pairs,
    pairs_of,
    paths_of,
    read_label,
    write_image,
    write_label,
)

from dali_voc import load_config
from dali_voc.datasets.cityscapes import CITYSCAPES_SPEC
from dali_voc.datasets.cityscapes import KINDS as ALL_KINDS
from dali_voc.errors import DatasetError

REAL = SHARED / "data/cityscapes"
# number in labelIds of each class of the benchmark, in order
IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
TRAIN_ID = {number: i for i, number in enumerate(IDS)}
# colours of files that are no class of the benchmark
VOID_COLORS = (
    *((0, 0, 0), (111, 74, 0), (81, 0, 81), (250, 170, 160), (230, 150, 140), (180, 165, 180)),
    *((150, 100, 100), (150, 120, 90), (0, 0, 90), (0, 0, 110)),
)
# names and colours of the 19 classes in the authors' `labels.py`, by train id
CLASSES = {
    **{"road": (128, 64, 128), "sidewalk": (244, 35, 232), "building": (70, 70, 70)},
    **{"wall": (102, 102, 156), "fence": (190, 153, 153), "pole": (153, 153, 153)},
    **{"traffic light": (250, 170, 30), "traffic sign": (220, 220, 0)},
    **{"vegetation": (107, 142, 35), "terrain": (152, 251, 152), "sky": (70, 130, 180)},
    **{"person": (220, 20, 60), "rider": (255, 0, 0), "car": (0, 0, 142), "truck": (0, 0, 70)},
    **{"bus": (0, 60, 100), "train": (0, 80, 100), "motorcycle": (0, 0, 230)},
    **{"bicycle": (119, 11, 32)},
}
ALL_IDS = np.arange(34).reshape(2, 17)


def write_pair(root: Path, split: str, name: str, labels: dict[str, np.ndarray]) -> None:
    truth = "gtCoarse" if split == "train_extra" else "gtFine"
    city = name.split("_", maxsplit=1)[0]
    size = next(iter(labels.values())).shape[:2]
    write_image(root / f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png", size)
    for kind, values in labels.items():
        write_label(root / f"{truth}/{split}/{city}/{name}_{truth}_{kind}.png", values)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Every number, train id and colour; names of cities that do not sort as paths do."""
    train = by_value(ALL_IDS, TRAIN_ID)
    colors = np.array([*CLASSES.values(), *VOID_COLORS], np.uint8).reshape(1, -1, 3)
    opaque = np.dstack([colors, np.full(colors.shape[:2], 255)])
    names = "ulm_000001_000019", "bad-ems_000000_000019", "bad_000000_000019", "ulm_000000_000019"
    for name in names:
        write_pair(root := tmp_path / "cs", "train", name, {"labelIds": ALL_IDS})
    labels = {"labelIds": ALL_IDS, "labelTrainIds": train}
    write_pair(root, "val", "lindau_000000_000019", labels)
    write_pair(root, "train_extra", "konstanz_000000_000019", labels)
    write_pair(root, "test", "berlin_000000_000019", {"color": opaque})
    write_pair(root, "test", "berlin_000001_000019", {"color": colors})
    return root


@pytest.mark.parametrize("kind", [None, "labelIds", "labelTrainIds"])
@pytest.mark.parametrize("split", ["val", "train_extra"])
def test_numbers_become_train_ids(root: Path, split: str, kind: str | None) -> None:
    (label,) = load_labels("cityscapes", root, split, labels=kind)
    assert np.array_equal(label, by_value(ALL_IDS, TRAIN_ID))
    assert set(np.unique(label)) == {*range(19), 255}


def test_colors_with_alpha_and_without(root: Path) -> None:
    expected = np.array([[*range(19), *[255] * len(VOID_COLORS)]])
    found = load_labels("cityscapes", root, "test", labels="color")
    assert len(found) == 2
    assert all(np.array_equal(label, expected) for label in found)


def test_names_and_colors() -> None:
    assert CITYSCAPES_SPEC.classes == tuple(CLASSES)
    assert CITYSCAPES_SPEC.colors == tuple(CLASSES.values())


def test_order_and_paths(root: Path) -> None:
    names = [
        "bad/bad_000000_000019",
        "bad-ems/bad-ems_000000_000019",
        "ulm/ulm_000000_000019",
        "ulm/ulm_000001_000019",
    ]
    index = pairs_of("cityscapes", root, "train")
    assert paths_of(index) == [
        (
            f"{root}/leftImg8bit/train/{name}_leftImg8bit.png",
            f"{root}/gtFine/train/{name}_gtFine_labelIds.png",
        )
        for name in names
    ]
    assert [index.name(i) for i in range(4)] == names


def test_files_without_a_partner(root: Path) -> None:
    for name in "ulm/ulm_000001_000019", "bad/bad_000000_000019":
        (root / f"gtFine/train/{name}_gtFine_labelIds.png").unlink()
    (root / "leftImg8bit/train/bad-ems/bad-ems_000000_000019_leftImg8bit.png").unlink()
    (root / "leftImg8bit/train/ulm/._ulm_000000_000019_leftImg8bit.png").write_bytes(b"")
    with pytest.raises(DatasetError) as error:
        pairs_of("cityscapes", root, "train")
    assert str(error.value) == (
        f"{root}/gtFine/train: expected a label for each image of {root}/leftImg8bit/train, found "
        "no *_gtFine_labelIds.png for 2 images (bad/bad_000000_000019, ulm/ulm_000001_000019), and "
        "no *_leftImg8bit.png for 1 label (bad-ems/bad-ems_000000_000019)"
    )
    assert len(pairs_of("cityscapes", root, "train", must_exist=False)) == 3


def test_a_city_of_labels_alone(root: Path) -> None:
    (root / "leftImg8bit/train/ulm").rename(root / "ulm")
    with pytest.raises(DatasetError) as error:
        pairs_of("cityscapes", root, "train")
    assert str(error.value).endswith(
        "found no *_leftImg8bit.png for 2 labels (ulm/ulm_000000_000019, ulm/ulm_000001_000019)"
    )


@pytest.mark.parametrize(
    ("path", "split", "keys", "reason"),
    [
        ("", "vall", {}, r"no split 'vall', there are: test, train, train_extra, val"),
        (
            "",
            "val",
            {"labels": "labelIDs"},
            r"dataset\.labels: found 'labelIDs', expected one of: ",
        ),
        ("", "val", {"labels": "color"}, r"no \*_gtFine_color\.png for 1 image \(lindau/"),
        ("gtFine", "val", {}, r"no folder 'leftImg8bit' in it.*; did you mean .*/cs\?"),
        ("..", "val", {}, r"no folder 'leftImg8bit' in it.*; did you mean .*/cs\?"),
        ("none", "val", {}, "no such folder, expected the root of Cityscapes"),
        ("", "empty", {}, "found no folders, expected one for each city"),
        ("", "hollow", {}, r"found no images, expected \*_leftImg8bit.png in its sub-folders"),
    ],
)
def test_what_is_missing(
    root: Path, path: str, split: str, keys: dict[str, Any], reason: str
) -> None:
    if split in ("empty", "hollow"):
        (root / "leftImg8bit" / split / ("ulm" if split == "hollow" else "")).mkdir(parents=True)
    with pytest.raises(DatasetError, match=reason):
        pairs_of("cityscapes", root / path, split, **keys)


def test_a_number_that_is_no_label(root: Path) -> None:
    path = root / "gtFine/val/lindau/lindau_000000_000019_gtFine_labelIds.png"
    write_label(path, np.where(ALL_IDS == 3, 34, ALL_IDS))
    reason = (
        r"labelIds\.png: value 34 is not in the label table, found in \d+ pixels?; expected 0-33"
    )
    with pytest.raises(Exception, match=reason):
        load_labels("cityscapes", root, "val")


def test_void_numbers_may_become_classes(root: Path) -> None:
    """By `dataset.map`: caravans are cars, and all else of the street is one class."""
    classes = ["car", "rest"]
    (label,) = load_labels("cityscapes", root, "val", classes=classes, map={29: "car", "*": "rest"})
    expected = dict.fromkeys(IDS, 1) | {26: 0, 29: 0}
    assert np.array_equal(label, by_value(ALL_IDS, expected))


def test_configuration() -> None:
    config = load_config(Path(__file__).parents[1] / "configs/cityscapes.yaml")
    assert config.dataset.labels in ALL_KINDS


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real samples at {REAL}")
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_real_pair(kind: str) -> None:
    ((image, label),) = load_pairs("cityscapes", REAL, "val", labels=kind)
    photograph = REAL / "leftImg8bit/val/frankfurt/frankfurt_000000_000294_leftImg8bit.png"
    assert np.array_equal(image, np.array(Image.open(photograph)))
    # the sample's three files differ in some pixels: each is compared with itself
    path = REAL / f"gtFine/val/frankfurt/frankfurt_000000_000294_gtFine_{kind}.png"
    stored = read_label(path)
    if kind == "labelTrainIds":
        expected = stored
    elif kind == "labelIds":
        expected = np.full(stored.shape, 255)
        for number, train_id in TRAIN_ID.items():
            expected[stored == number] = train_id
    else:
        expected = np.full(stored.shape[:2], 255)
        for train_id, color in enumerate(CLASSES.values()):
            expected[(stored[..., :3] == color).all(2)] = train_id
    assert label.shape == (1024, 2048)
    assert np.array_equal(label, expected)
