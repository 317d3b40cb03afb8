"""What own data sets have that goes wrong in silence: it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from whole_labels import pairs_of, write_label

from dali_voc import DatasetError, SampleError, build_loader, parse_config
from dali_voc.packing import pack_split
from dali_voc.verifying import verify_split

KEYS: dict[str, Any] = {"images": "i/*.jpg", "masks": "m/*.png", "classes": ("a", "b")}


def config_of(root: Path, **loader: Any) -> Any:
    dataset = {"name": "folder", "root": str(root), **KEYS, "classes": list("ab")}
    return parse_config({"dataset": dataset, "loader": {"device": "cpu", **loader}})


def write_pair(
    root: Path, name: str, size: tuple[int, int], *, orientation: int = 1, of: Any = (0, 1)
) -> None:
    """Write a picture of height and width `size`, and a label of some values."""
    (root / "i").mkdir(exist_ok=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", size[::-1], (9, 8, 7)).save(root / f"i/{name}.jpg", exif=exif)
    write_label(root / f"m/{name}.png", np.resize(np.array(of), size))


def messages(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(record.getMessage() for record in caplog.records)


def test_orientations_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pair(tmp_path, "a", (20, 20))
    verify_split(config_of(tmp_path))
    assert "orientation" not in messages(caplog)
    write_pair(tmp_path, "b", (20, 20), orientation=6)
    assert not verify_split(config_of(tmp_path)).faults
    assert "1 of 2 images that were looked at have an orientation in Exif" in messages(caplog)
    assert "i/b.jpg: pixels and labels are taken as they are stored" in messages(caplog)


@pytest.mark.parametrize(("label", "swapped"), [((30, 20), True), ((30, 30), False)])
def test_swapped_sides(tmp_path: Path, label: tuple[int, int], swapped: bool) -> None:
    write_pair(tmp_path, "a", (20, 30), orientation=6)
    write_label(tmp_path / "m/a.png", np.zeros(label))
    with build_loader(config_of(tmp_path)) as loader, pytest.raises(SampleError) as error:
        next(iter(loader))
    assert f"the label is {label[1]}x{label[0]} (width x height), " in str(error.value)
    assert ("sides are swapped: an orientation in Exif" in str(error.value)) == swapped


def test_masks_of_0_and_255(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_pair(tmp_path, "a", (20, 20), of=(0, 255))
    Image.new("1", (20, 20)).save(tmp_path / "m/a1.png")  # of 1 bit, which tells nothing
    Image.new("RGB", (20, 20)).save(tmp_path / "i/a1.jpg")
    said = "labels such as "
    verify_split(config_of(tmp_path))
    assert said in messages(caplog)
    caplog.clear()
    pack_split(config_of(tmp_path), tmp_path / "packed")
    assert said in messages(caplog)


def test_labels_alone_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in "ab":
        write_pair(tmp_path, name, (20, 20))
    (tmp_path / "i/b.jpg").rename(tmp_path / "i/b.png")
    with build_loader(config_of(tmp_path, on_error="skip")) as loader:
        assert len(loader.index) == 1
    assert f"{tmp_path}: 1 labels have no image i/*.jpg and are left out (m/b.png)" in messages(
        caplog
    )
    caplog.clear()
    (tmp_path / "train.txt").write_text("a\n")  # where the list says what there is
    with build_loader(config_of(tmp_path, on_error="skip")) as loader:
        assert len(loader.index) == 1
    assert not caplog.records


def test_other_endings_are_named(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", (20, 20))
    (tmp_path / "i/a.jpg").rename(tmp_path / "i/a.JPG")
    with pytest.raises(
        DatasetError,
        match=r"found no images, expected i/\*\.jpg; of other endings "
        r"there are i/a\.JPG$",
    ):
        pairs_of("folder", tmp_path, "train", **KEYS)


def test_lists_are_named_with_a_line(tmp_path: Path) -> None:
    write_pair(tmp_path, "a", (20, 20))
    path = tmp_path / "train.txt"
    path.write_text("i/a.jpg\n")
    expected = rf"{path}: found no image .*: i/a\.jpg; expected lines without '\.jpg', such as 'a'$"
    with pytest.raises(DatasetError, match=expected):
        pairs_of("folder", tmp_path, "train", **KEYS)
    path.write_text("b\n")
    with pytest.raises(DatasetError, match=r"list: b; expected lines such as 'a'$"):
        pairs_of("folder", tmp_path, "train", **KEYS)
    (tmp_path / "classes.txt").touch()
    with pytest.raises(DatasetError, match=r"there are: train$"):
        pairs_of("folder", tmp_path, "val", **KEYS)


@pytest.mark.parametrize(
    "samples", [[True, False], np.array([True, False]), torch.tensor([True, False])]
)
def test_masks_of_samples_are_no_places(tmp_path: Path, samples: Any) -> None:
    for name in "ab":
        write_pair(tmp_path, name, (20, 20))
    with pytest.raises(TypeError, match="samples: found True or False, expected places"):
        build_loader(config_of(tmp_path), samples=samples)


def test_nothing_is_said_where_all_labels_have_images(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_pair(tmp_path, "a", (20, 20))
    with build_loader(config_of(tmp_path, on_error="skip")) as loader:
        assert len(loader.index) == 1
    assert not caplog.records
