"""Folders that the operating system does not let anybody look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from dali_voc import build_loader, parse_config
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


@pytest.mark.parametrize(
    ("root", "end"),
    [
        ("data", "; it is looked for in {here}"),
        ("$NO_SUCH_NAME/data", "; $NO_SUCH_NAME is not set in the environment"),
        ("/x${NO_SUCH_NAME}", "; ${NO_SUCH_NAME} is not set in the environment"),
        ("{here}/data", ""),
    ],
)
@pytest.mark.parametrize("name", ["voc2012", "cityscapes", "packed", "webdataset"])
def test_why_there_is_no_such_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str, end: str, name: str
) -> None:
    """Programs change their folder, as Hydra may, and batch systems have other variables."""
    monkeypatch.chdir(tmp_path)
    config = parse_config(
        {"dataset": {"name": name, "root": root.replace("{here}", f"{tmp_path}")}}
    )
    with pytest.raises(DatasetError) as error:
        build_loader(config)
    assert str(error.value).startswith(str(config.dataset.path))
    if end:
        assert str(error.value).endswith(end.replace("{here}", str(tmp_path)))
    else:
        assert ";" not in str(error.value).replace("; there are: none", "")
