"""`voc2012_aug`: SBD's labels, gray or with a palette, and the lists that circulate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from whole_labels import load_labels, pairs_of, paths_of, read_label, write_image, write_label

from dali_voc.errors import DatasetError
from dali_voc.labels import voc_colormap

IDS = [f"2008_{k:06d}" for k in range(6)]
LINE = "/JPEGImages/{0}.jpg /SegmentationClassAug/{0}.png"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Labels of all classes and the border, half of them gray and half with a palette."""
    values = np.array([*range(21), 255]).reshape(11, 2)
    for i, name in enumerate(IDS):
        write_image(tmp_path / f"JPEGImages/{name}.jpg", values.shape)
        label = np.roll(values, i, axis=0)
        path = tmp_path / f"SegmentationClassAug/{name}.png"
        write_label(path, label, voc_colormap(256) if i % 2 else None)
    lists = tmp_path / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "train_aug.txt").write_text("\n".join(IDS[:4]))
    (lists / "trainval_aug.txt").write_text("\n".join(LINE.format(name) for name in IDS))
    return tmp_path


def test_labels_of_both_kinds(root: Path) -> None:
    found = load_labels("voc2012_aug", root, "train_aug")
    assert len(found) == 4
    for name, label in zip(IDS, found, strict=False):
        values = read_label(root / f"SegmentationClassAug/{name}.png")
        assert np.array_equal(label, values)
        assert set(np.unique(label)) == {*range(21), 255}


def test_lists_of_two_columns(root: Path) -> None:
    index = pairs_of("voc2012_aug", root, "trainval_aug")
    assert paths_of(index) == [
        (f"{root}/JPEGImages/{name}.jpg", f"{root}/SegmentationClassAug/{name}.png") for name in IDS
    ]
    plain = root / "ImageSets/Segmentation/plain.txt"
    plain.write_text("\n".join(IDS))
    assert pairs_of("voc2012_aug", root, "plain").digest() == index.digest()


@pytest.mark.parametrize(
    "line",
    [
        "/JPEGImages/2008_000000.jpg /SegmentationClass/2008_000000.png",
        "/JPEGImages/2008_000000.jpg /SegmentationClassAug/2008_000001.png",
        "/JPEGImages/2008_000000.jpg",
        "/data/JPEGImages/2008_000000.jpg /SegmentationClassAug/2008_000000.png",
    ],
)
def test_lines_that_are_no_pair(root: Path, line: str) -> None:
    path = root / "ImageSets/Segmentation/odd.txt"
    path.write_text(f"{LINE.format(IDS[1])}\n{line}\n")
    with pytest.raises(DatasetError) as error:
        pairs_of("voc2012_aug", root, "odd")
    assert str(error.value) == (
        f"{path}: found '{line}', expected an id, or /JPEGImages/ID.jpg "
        "/SegmentationClassAug/ID.png"
    )


def test_what_is_missing(root: Path) -> None:
    with pytest.raises(DatasetError, match="there are: train_aug, trainval_aug"):
        pairs_of("voc2012_aug", root, "train")
    (root / "SegmentationClassAug").rename(root / "SegmentationClass")
    with pytest.raises(DatasetError, match="no folder 'SegmentationClassAug' in it, expected the"):
        pairs_of("voc2012_aug", root, "train_aug")


def test_real_labels_as_augmented_ones(real_voc: Path, tmp_path: Path) -> None:
    """Real palette labels, every second one written anew as gray, under SBD's names."""
    ids = (real_voc / "ImageSets/Segmentation/val.txt").read_text().split()[:8]
    (tmp_path / "SegmentationClassAug").mkdir()
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "JPEGImages").symlink_to(real_voc / "JPEGImages")
    lines = "".join(f"{LINE.format(name)}\n" for name in ids)
    (tmp_path / "ImageSets/Segmentation/val.txt").write_text(lines)
    for i, name in enumerate(ids):
        source = real_voc / f"SegmentationClass/{name}.png"
        copy = tmp_path / f"SegmentationClassAug/{name}.png"
        if i % 2:
            copy.symlink_to(source)
        else:
            write_label(copy, read_label(source))
    for name, label in zip(ids, load_labels("voc2012_aug", tmp_path, "val"), strict=True):
        assert np.array_equal(label, read_label(real_voc / f"SegmentationClass/{name}.png"))
