"""What is said of tar shards in which more is than is read, or something else than is meant."""

from __future__ import annotations

import logging
import tarfile
from pathlib import Path

import pytest
from tar_writer import write_tar

from dali_voc import DatasetError
from dali_voc.datasets import DatasetOptions, find_pairs
from dali_voc.datasets._tar_scan import scan_shard

PAIR = [("a.jpg", b"image"), ("a.png", b"label")]
PASSED_OVER = [*PAIR, ("b.c.jpg", b"image"), ("b.c.png", b"label"), ("d", b"")]


def said_at_start(
    root: Path, caplog: pytest.LogCaptureFixture, *, unlabeled: bool = False
) -> list[str]:
    caplog.clear()
    with caplog.at_level(logging.WARNING, "dali_voc"):
        find_pairs("webdataset", root, "train", options=DatasetOptions(unlabeled=unlabeled))
    return caplog.messages


def test_pictures_that_are_passed_over_are_told_at_every_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tar(tmp_path / "train-0.tar", PASSED_OVER)
    assert list(scan_shard(tmp_path / "train-0.tar").pairs) == ["a"]
    for _ in range(2):  # the second time from the index that is kept
        [said] = said_at_start(tmp_path, caplog)
        start = f"{tmp_path}/train-0.tar: 2 pictures are passed over (b.c.jpg, b.c.png): what"
        assert said.startswith(start)


def test_of_many_shards_some_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for i in range(8):
        members = [(f"{i}{name}", data) for name, data in PASSED_OVER]
        write_tar(tmp_path / f"train-{i}.tar", members)
    said = said_at_start(tmp_path, caplog)
    assert [text.partition(":")[0] for text in said] == [
        *(f"{tmp_path}/train-{i}.tar" for i in range(3)),
        str(tmp_path),
    ]
    assert said[-1].endswith(": 5 more such notes on shards")


def test_files_of_macos_are_none_of_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_tar(tmp_path / "train-0.tar", [*PAIR, ("._a.jpg", b"attributes"), ("x/._a.png", b"")])
    assert said_at_start(tmp_path, caplog) == []


@pytest.mark.parametrize(
    ("members", "several"),
    [
        (["a.jpg", "a.png"], False),
        (["a.png", "a.seg.png"], False),
        (["a.jpg", "a.seg.png"], False),
        (["a.jpg", "a.seg.png", "a.png"], True),
        (["a.png", "a.seg.png", "a.mask.png"], True),
        (["a.jpeg", "a.label.png", "a.mask.png"], True),
    ],
)
def test_several_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, members: list[str], *, several: bool
) -> None:
    write_tar(tmp_path / "train-0.tar", [(name, b"data") for name in members])
    said = said_at_start(tmp_path, caplog)
    assert len(said) == several
    for text in said:
        assert "1 keys have several labels (a): the first of .seg.png, .mask.png, " in text


def test_labels_that_may_be_taken_for_images(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_tar(tmp_path / "train-0.tar", [("a.jpg", b"image"), ("b.png", b"label")])
    [said] = said_at_start(tmp_path, caplog, unlabeled=True)
    assert "1 pictures are PNG and have no JPEG beside them, as the others do (b): " in said
    write_tar(tmp_path / "train-0.tar", [("a.png", b"image"), ("b.png", b"image")])
    assert said_at_start(tmp_path, caplog, unlabeled=True) == []


def test_tars_that_are_joined(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "train-0.tar"
    write_tar(tmp_path / "a", PAIR)
    write_tar(tmp_path / "b", [("b.jpg", b"image"), ("b.png", b"label")])
    one, other = (tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()
    for between in b"", bytes(3 << 20):
        path.write_bytes(one + between + other)
        with pytest.raises(DatasetError, match=r"train-0\.tar: found another tar behind the end"):
            find_pairs("webdataset", tmp_path, "train")
    path.write_bytes(one + b"garbage" * 1000)
    [said] = said_at_start(tmp_path, caplog)
    assert said.endswith("something that is no tar follows behind its end, and is not read")
    path.write_bytes(one + bytes(5 << 20))
    assert said_at_start(tmp_path, caplog) == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.LNKTYPE, r"a hard link, of which GNU tar makes a file by --hard-dereference"),
        (tarfile.SYMTYPE, r"a symbolic link, of which GNU tar makes a file by --dereference"),
        (tarfile.FIFOTYPE, "a member of type '6'"),
    ],
)
def test_members_that_are_no_files(tmp_path: Path, kind: bytes, said: str) -> None:
    write_tar(tmp_path / "a.tar", PAIR)
    member = tarfile.TarInfo("e.jpg")
    member.type, member.linkname = kind, "a.jpg"
    with tarfile.open(tmp_path / "a.tar", "a") as tar:
        tar.addfile(member)
    with pytest.raises(DatasetError, match=rf"e\.jpg is {said}, expected a file"):
        scan_shard(tmp_path / "a.tar")


@pytest.mark.parametrize("own", ["train.tar", "train/0.tar"])
def test_another_splits_shards_beside_one_without_a_number(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, own: str
) -> None:
    (tmp_path / own).parent.mkdir(exist_ok=True)
    write_tar(tmp_path / own, PAIR)
    write_tar(tmp_path / "train-small.tar", [("b.jpg", b"image"), ("b.png", b"label")])
    [said] = said_at_start(tmp_path, caplog)
    assert "1 shards of split 'train' are left out, as no number follows (train-small.tar)" in said
    assert len(find_pairs("webdataset", tmp_path, "train")) == 1


def test_a_shard_in_place_of_its_folder(tmp_path: Path) -> None:
    write_tar(tmp_path / "train-0.tar", PAIR)
    with pytest.raises(DatasetError, match=r"train-0\.tar: this is a file, expected the folder of"):
        find_pairs("webdataset", tmp_path / "train-0.tar", "train")
