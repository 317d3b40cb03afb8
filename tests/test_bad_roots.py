"""Folders that the operating system does not let anybody look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from dali_voc.datasets import DATASETS, Dataset, DatasetOptions, PairIndex, find_pairs
from dali_voc.errors import DatasetError


@pytest.mark.parametrize("name", ["voc2012", "cityscapes", "camvid", "coco_panoptic", "folder"])
def test_a_name_that_is_too_long(tmp_path: Path, name: str) -> None:
    root = tmp_path / ("x" * 300)
    options = DatasetOptions()
    if name == "folder":
        options = DatasetOptions(images="*.jpg", masks="*.png", classes=("a",))
    with pytest.raises(DatasetError, match=r"x{300}.*: (cannot be read|no such folder)"):
        find_pairs(name, root, "train", options=options)


def test_a_folder_that_may_not_be_entered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made up, as tests may run as root, who may enter all."""

    def find(root: Path, split: str, *, must_exist: bool, options: DatasetOptions) -> PairIndex:
        raise PermissionError(13, "Permission denied", f"{root}/{split}")

    monkeypatch.setitem(DATASETS, "locked", Dataset(find=find))
    with pytest.raises(DatasetError, match=r"^/some/train: cannot be read \(Permission denied\)$"):
        find_pairs("locked", Path("/some"), "train")
