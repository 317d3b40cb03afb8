"""`voc2012`: other years, and lists that are wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from whole_labels import load_labels, pairs_of, paths_of, read_label, write_image, write_label

from dali_voc.errors import DatasetError
from dali_voc.labels import voc_colormap


def write_year(folder: Path, ids: list[str]) -> Path:
    """Labels of all 21 classes and the border, palette PNG as in every year."""
    values = np.array([*range(21), 255]).reshape(2, 11)
    for i, name in enumerate(ids):
        write_image(folder / f"JPEGImages/{name}.jpg", values.shape)
        label = np.roll(values, i, axis=1)
        write_label(folder / f"SegmentationClass/{name}.png", label, voc_colormap(256))
    lists = folder / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    for split, names in ("train", ids[:2]), ("val", ids[2:]), ("trainval", ids):
        (lists / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_year(tmp_path / "VOCdevkit/VOC2007", [f"00{k:04d}" for k in (32, 39, 63, 68, 121)])


def test_another_year(root: Path) -> None:
    ids = (root / "ImageSets/Segmentation/trainval.txt").read_text().split()
    index = pairs_of("voc2012", root, "trainval")
    assert paths_of(index) == [
        (f"{root}/JPEGImages/{name}.jpg", f"{root}/SegmentationClass/{name}.png") for name in ids
    ]
    found = load_labels("voc2012", root, "trainval")
    assert len(found) == 5
    for name, label in zip(ids, found, strict=True):
        assert np.array_equal(label, read_label(root / f"SegmentationClass/{name}.png"))


def test_wrong_roots_get_a_hint(root: Path) -> None:
    for wrong in root.parent, root.parent.parent, root / "JPEGImages":
        with pytest.raises(
            DatasetError, match=f"no folder 'JPEGImages' in it.*did you mean {root}"
        ):
            pairs_of("voc2012", wrong, "train")


def test_missing_files_are_counted(root: Path) -> None:
    ids = (root / "ImageSets/Segmentation/trainval.txt").read_text().split()
    for name in ids[1:]:
        (root / f"SegmentationClass/{name}.png").unlink()
    with pytest.raises(DatasetError) as error:
        pairs_of("voc2012", root, "trainval")
    assert str(error.value) == (
        f"{root}/SegmentationClass/{ids[1]}.png: no such file, expected the label of '{ids[1]}' in "
        f"split 'trainval' (4 labels are missing in all: {ids[1]}, {ids[2]}, {ids[3]} and 1 more)"
    )
    assert len(pairs_of("voc2012", root, "trainval", must_exist=False)) == 5


def test_an_id_that_is_there_twice(root: Path) -> None:
    path = root / "ImageSets/Segmentation/train.txt"
    path.write_text(path.read_text() * 2)
    with pytest.raises(DatasetError, match=r"found 2 ids more than once \(000032, 000039\)"):
        pairs_of("voc2012", root, "train")


def test_ids_in_sub_folders_and_links(root: Path) -> None:
    for kind, suffix in ("JPEGImages", ".jpg"), ("SegmentationClass", ".png"):
        (root / kind / "2007").mkdir()
        shutil.move(root / kind / f"000032{suffix}", root / kind / f"2007/a b{suffix}")
        (root / kind / f"link{suffix}").symlink_to(root / kind / f"000039{suffix}")
    (root / "ImageSets/Segmentation/train.txt").write_text("2007/a b\nlink\n")
    assert len(load_labels("voc2012", root, "train")) == 2
