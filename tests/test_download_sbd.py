"""SBD's MATLAB files to PNG and lists, beside VOC's own labels."""

from __future__ import annotations

import io
import random
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from tar_writer import write_tar

from dali_voc import DownloadError, build_loader, parse_config
from dali_voc.datasets.voc2012_aug import find_pairs
from dali_voc.downloading import Archive, Downloaded, choose_archive, download

scipy_io = pytest.importorskip("scipy.io")
BASE = "benchmark_RELEASE/dataset"


def mat(label: npt.NDArray[np.uint8], field: str = "Segmentation") -> bytes:
    file = io.BytesIO()
    fields = {field: label, "CategoriesPresent": np.unique(label[label > 0])}
    scipy_io.savemat(file, {"GTcls": fields}, do_compression=True)
    return file.getvalue()


def ids(root: Path, name: str) -> list[str]:
    return (root / f"ImageSets/Segmentation/{name}.txt").read_text().split()


@pytest.fixture
def root(voc: Path, tmp_path: Path) -> Path:
    """VOC's folder, with five pictures that it has no labels of."""
    root = shutil.copytree(voc, tmp_path / "VOCdevkit/VOC2012")
    for i in range(5):
        shutil.copy(root / "JPEGImages/made_000000.jpg", root / f"JPEGImages/only_sbd_{i}.jpg")
    return root


@pytest.fixture
def labels(root: Path) -> dict[str, npt.NDArray[np.uint8]]:
    """SBD's: of these five, and of some in VOC's train and val, which it labels otherwise."""
    rng = np.random.default_rng(0)
    size = Image.open(root / "JPEGImages/made_000000.jpg").size[::-1]
    names = [f"only_sbd_{i}" for i in range(5)]
    names += [*ids(root, "train")[:3], *ids(root, "val")[:2]]
    return {name: rng.integers(0, 21, size, np.uint8) for name in names}


def archive_of(
    labels: dict[str, npt.NDArray[np.uint8]], path: Path, *, extra: dict[str, bytes] | None = None
) -> Archive:
    names = list(labels)
    random.Random(0).shuffle(names)
    members = {f"{BASE}/cls/{name}.mat": mat(labels[name]) for name in labels}
    members[f"{BASE}/train.txt"] = "\n".join(names[:6]).encode()
    members[f"{BASE}/val.txt"] = "\n".join(names[6:]).encode()
    members[f"{BASE}/inst/other.mat"] = b"of no interest"
    members[f"{BASE}/img/other.jpg"] = b"of no interest"
    members["code/train.txt"] = b"of no interest"
    write_tar(path, list({**members, **(extra or {})}.items()))
    with tarfile.open(path, "a") as tar:
        link = tarfile.TarInfo(f"{BASE}/cls/link.mat")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return choose_archive("voc2012_aug", url=str(path))


def test_labels_and_lists(
    root: Path, labels: dict[str, npt.NDArray[np.uint8]], tmp_path: Path
) -> None:
    done = download("voc2012_aug", tmp_path, archive=archive_of(labels, tmp_path / "sbd.tar"))
    assert done == Downloaded(dataset="voc2012_aug", root=root, pairs=26, was_there=False)
    train, val = set(ids(root, "train")), set(ids(root, "val"))
    assert set(ids(root, "train_aug")) == (set(labels) | train) - val
    assert set(ids(root, "trainval_aug")) == set(labels) | train | val
    for name in ids(root, "trainval_aug"):
        found = root / f"SegmentationClassAug/{name}.png"
        if name in train | val:
            assert found.read_bytes() == (root / f"SegmentationClass/{name}.png").read_bytes()
        else:
            image = Image.open(found)
            assert image.mode == "L"
            assert np.array_equal(np.asarray(image), labels[name])
    assert sorted(path.name for path in root.iterdir() if path.name.startswith(".")) == []
    again = download("voc2012_aug", tmp_path, archive=Archive(url="http://never/asked"))
    assert again.was_there


def test_the_loader_reads_it(
    root: Path, labels: dict[str, npt.NDArray[np.uint8]], tmp_path: Path
) -> None:
    download("voc2012_aug", tmp_path, archive=archive_of(labels, tmp_path / "sbd.tar"))
    assert len(find_pairs(root, "train_aug").images) == 19
    tree = {
        "dataset": {"name": "voc2012_aug", "root": str(root)},
        "loader": {"batch_size": 5, "device": "cpu", "last_batch": "partial"},
        "augment": {"crop_size": [64, 64]},
    }
    with build_loader(parse_config(tree), split="trainval_aug") as loader:
        assert sum(len(batch[1]) for batch in loader) == 26


def test_voc_comes_first(tmp_path: Path) -> None:
    with pytest.raises(DownloadError) as error:
        download("voc2012_aug", tmp_path, archive=Archive(url="http://never/asked"))
    assert str(error.value) == (
        f"{tmp_path}/VOCdevkit/VOC2012: no such folder, expected VOC 2012, to which SBD adds "
        "labels; first run 'dali-voc download voc2012'"
    )


def test_without_scipy(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is fetched."""
    monkeypatch.setitem(sys.modules, "scipy", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DownloadError, match=r"found no package scipy.*'pip install scipy'"):
        download("voc2012_aug", tmp_path, archive=Archive(url="http://never/asked"))


BAD = {
    "no MATLAB file": (b"nonsense", "cannot be read as a label of SBD"),
    "empty": (b"", "cannot be read as a label of SBD"),
    "cut": (mat(np.zeros((50, 60), np.uint8))[:200], "cannot be read as a label of SBD"),
    "another field": (mat(np.zeros((5, 6), np.uint8), "Other"), "cannot be read as a label"),
    "a class too many": (
        mat(np.full((5, 6), 21, np.uint8)),
        "found uint8 [5, 6] up to 21, expected uint8 [height, width] up to 20",
    ),
    "another type": (mat(np.zeros((5, 6), np.float32)), "found float32 [5, 6]"),
}


@pytest.mark.parametrize("bad", BAD)
def test_bad_labels(
    root: Path, labels: dict[str, npt.NDArray[np.uint8]], tmp_path: Path, bad: str
) -> None:
    data, expected = BAD[bad]
    extra = {f"{BASE}/cls/only_sbd_2.mat": data}
    archive = archive_of(labels, tmp_path / "sbd.tar", extra=extra)
    with pytest.raises(DownloadError) as error:
        download("voc2012_aug", tmp_path, archive=archive)
    assert f"{tmp_path}/sbd.tar: {BASE}/cls/only_sbd_2.mat: " in str(error.value)
    assert expected in str(error.value)
    assert_untouched(root)


def test_lists_and_labels_that_do_not_fit(
    root: Path, labels: dict[str, npt.NDArray[np.uint8]], tmp_path: Path
) -> None:
    for name, extra in {
        "absent": {f"{BASE}/train.txt": b"absent\n"},
        "only_sbd_4": {},
    }.items():
        (root / "JPEGImages/only_sbd_4.jpg").unlink(missing_ok=True)
        archive = archive_of(labels, tmp_path / "sbd.tar", extra=extra)
        with pytest.raises(DownloadError, match=f"found '{name}' in a list only"):
            download("voc2012_aug", tmp_path, archive=archive)
    with tarfile.open(tmp_path / "sbd.tar", "w"):
        pass
    with pytest.raises(DownloadError, match=r"found no lists train\.txt and val\.txt"):
        download("voc2012_aug", tmp_path, archive=archive)
    assert_untouched(root)


def test_lists_of_the_users_own_stay(
    root: Path, labels: dict[str, npt.NDArray[np.uint8]], tmp_path: Path
) -> None:
    own = root / "ImageSets/Segmentation/train_aug.txt"
    own.write_text("made_000000\n")
    archive = archive_of(labels, tmp_path / "sbd.tar")
    with pytest.raises(DownloadError, match="found a list of other pictures"):
        download("voc2012_aug", tmp_path, archive=archive)
    assert own.read_text() == "made_000000\n"
    assert not (root / "SegmentationClassAug").exists()


def assert_untouched(root: Path) -> None:
    assert not (root / "SegmentationClassAug").exists()
    assert not list(root.glob(".*"))
    assert {p.stem for p in (root / "ImageSets/Segmentation").iterdir()} == {
        *("train", "val", "trainval")
    }
