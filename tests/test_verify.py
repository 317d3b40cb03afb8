"""`dali-voc verify` finds each planted fault, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from warm_python import warm_python

from dali_voc import Config, DatasetError, SampleError
from dali_voc._read_once import read_once
from dali_voc.datasets import find_index
from dali_voc.synthetic import write_voc
from dali_voc.verifying import _Checker, verify_split

MakeConfig = Callable[..., Config]
CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
PAIRS = 40


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip_bit(path: Path) -> None:
    file = bytearray(path.read_bytes())
    file[len(file) * 2 // 3] ^= 4
    path.write_bytes(file)


def link_to_nothing(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "gone")


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def paint(color: tuple[int, int, int]) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        label = np.asarray(Image.open(path).convert("RGB")).copy()
        label[10:12, 20:23] = color
        Image.fromarray(label).save(path)

    return change


def shrink(path: Path) -> None:
    Image.open(path).crop((0, 0, 99, 77)).save(path)


def text(path: Path) -> None:
    path.write_bytes(b"no picture\n" * 50)


def photograph(path: Path) -> None:
    shutil.copy(path.parents[1] / f"JPEGImages/{path.stem}.jpg", path)


# number of the pair, its file, what is done to it, what is to be said of it
PLANTED: list[tuple[int, str, Callable[[Path], object], str]] = [
    (0, "image", Path.unlink, "no such file"),
    (3, "image", cut, "truncated JPEG: the file ends before its end marker"),
    (4, "image", text, "this is not an image of a known format"),
    (5, "image", lambda p: p.write_bytes(b""), "the file is empty"),
    (6, "image", link_to_nothing, "no such file (a link to nothing)"),
    (7, "label", Path.unlink, "no such file"),
    (11, "label", cut, "truncated PNG"),
    (12, "label", flip_bit, "damaged PNG: a chunk's checksum (CRC) is wrong"),
    (13, "label", shrink, "the label is 99x77 (width x height), "),
    (14, "label", photograph, "this is a JPEG file, labels must be PNG"),
    (
        *(17, "label", paint((129, 0, 0))),
        "colour (129, 0, 0) is not in the label table, found in 6 pixels; expected one of 22 "
        "colours, the nearest of them (128, 0, 0)",
    ),
    (18, "label", folder_instead, "this is a folder, expected a file"),
    # both files of one pair
    (20, "image", cut, "truncated JPEG"),
    (20, "label", paint((1, 2, 3)), "colour (1, 2, 3) is not in the label table"),
    (31, "image", Path.unlink, "no such file"),
    (31, "label", Path.unlink, "no such file"),
    (33, "image", text, "this is not an image of a known format"),
    (33, "label", cut, "truncated PNG"),
    (39, "image", Path.unlink, "no such file"),
    (39, "label", flip_bit, "damaged PNG: a chunk's checksum (CRC) is wrong"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voc(tmp_path_factory.mktemp("sound"), train=PAIRS, val=1)


def file_of(root: Path, number: int, part: str) -> Path:
    name = f"made_{number:06d}"
    return root / (f"JPEGImages/{name}.jpg" if part == "image" else f"SegmentationClass/{name}.png")


@pytest.fixture(scope="module")
def planted(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("planted") / "voc"
    shutil.copytree(sound, root)
    for number, part, damage, _ in PLANTED:
        damage(file_of(root, number, part))
    return root


@pytest.mark.parametrize("fast", [False, True])
def test_planted_faults_and_nothing_else(
    make_config: MakeConfig, planted: Path, fast: bool
) -> None:
    found = verify_split(make_config(planted), fast=fast)
    assert [(fault.sample, fault.part) for fault in found.faults] == [
        (number, part) for number, part, _, _ in PLANTED
    ]
    for fault, (number, part, _, reason) in zip(found.faults, PLANTED, strict=True):
        assert fault.file == str(file_of(planted, number, part))
        assert fault.name == f"made_{number:06d}"
        assert fault.reason.startswith(reason)
    assert found.pairs == PAIRS
    assert found.bad_pairs == 16
    assert found.decoded != fast
    assert not found.is_sound
    # the listing stops at the first file that is missing
    assert found.listing is not None
    assert str(file_of(planted, 0, "image")) in found.listing


@pytest.mark.parametrize("validation", ["resize", "slide"])
def test_whatever_validation_shows(make_config: MakeConfig, sound: Path, validation: str) -> None:
    augment = {"validation": validation, "stored_labels": True, "small": "drop"}
    found = verify_split(make_config(sound, augment=augment))
    assert not found.faults


@pytest.mark.parametrize("fast", [False, True])
def test_a_sound_split(make_config: MakeConfig, sound: Path, fast: bool) -> None:
    calls: list[tuple[int, int]] = []
    found = verify_split(
        make_config(sound), fast=fast, progress=lambda done, total: calls.append((done, total))
    )
    assert (found.pairs, found.listing, found.faults) == (PAIRS, None, ())
    assert found.is_sound
    assert calls == [(done, PAIRS) for done in range(PAIRS + 1)]


@pytest.mark.parametrize("fast", [False, True])
def test_every_pair_is_bad(
    make_config: MakeConfig, sound: Path, tmp_path: Path, fast: bool
) -> None:
    root = Path(shutil.copytree(sound, tmp_path / "voc"))
    for number in range(PAIRS):
        cut(file_of(root, number, "label" if number % 2 else "image"))
    found = verify_split(make_config(root), fast=fast)
    assert [(fault.sample, fault.part) for fault in found.faults] == [
        (number, "label" if number % 2 else "image") for number in range(PAIRS)
    ]


def test_damage_that_shows_when_a_photograph_is_decoded(
    make_config: MakeConfig, sound: Path, tmp_path: Path
) -> None:
    """A PNG whose checksums are right and whose pixels are not."""
    root = Path(shutil.copytree(sound, tmp_path / "voc"))
    path = file_of(root, 8, "image")
    Image.open(path).save(path, "PNG", compress_level=0)
    file = bytearray(path.read_bytes())
    begin = file.index(b"IDAT")
    end = begin + 4 + int.from_bytes(file[begin - 4 : begin], "big")
    # the first row's filter, behind zlib's header and that of a stored block: there are only five
    file[begin + 4 + 2 + 5] = 9
    file[end : end + 4] = zlib.crc32(file[begin:end]).to_bytes(4, "big")
    path.write_bytes(file)
    assert verify_split(make_config(root), fast=True).is_sound
    (fault,) = verify_split(make_config(root)).faults
    assert fault.file == str(path)
    # and with a bad label beside it
    cut(file_of(root, 8, "label"))
    image, label = verify_split(make_config(root)).faults
    assert (image.part, image.file, label.part) == ("image", str(path), "label")


def test_values_without_a_class_where_they_are_allowed(
    make_config: MakeConfig, sound: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(sound, tmp_path / "voc"))
    paint((1, 2, 3))(file_of(root, 2, "label"))
    assert not verify_split(make_config(root), fast=True).is_sound
    assert verify_split(make_config(root, labels={"unknown": "ignore"}), fast=True).is_sound


def test_labels_without_an_image(make_config: MakeConfig, tmp_path: Path) -> None:
    for folder in "images/train", "masks/train":
        (tmp_path / folder).mkdir(parents=True)
    for name in "abc":
        Image.new("RGB", (9, 7)).save(tmp_path / f"images/train/{name}.png")
        Image.new("L", (9, 7)).save(tmp_path / f"masks/train/{name}.png")
    keys = {"images": "images/{split}/*.png", "masks": "masks/{split}/*.png", "classes": ["ground"]}
    config = make_config(tmp_path, dataset={"name": "folder", "root": str(tmp_path), **keys})
    assert verify_split(config).is_sound
    (tmp_path / "images/train/b.png").unlink()
    found = verify_split(config)
    assert (found.pairs, found.faults) == (2, ())
    assert found.listing is not None
    assert "(b)" in found.listing
    assert not found.is_sound


def test_no_such_split(make_config: MakeConfig, sound: Path) -> None:
    with pytest.raises(DatasetError, match="there are: train, trainval, val"):
        verify_split(make_config(sound), split="tset")


def verify(root: Path, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(*warm_python(), "-m", "dali_voc", "verify", str(CONFIG)),
            *("--set", f"dataset.root={root}"),
            *map(str, arguments),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "80"},
    )


def test_command(planted: Path, sound: Path, tmp_path: Path) -> None:
    done = verify(sound, "--fast", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    expected = f"{PAIRS} pairs of 'train' read, without decoding the images: nothing is wrong"
    assert expected in done.stdout
    assert done.stderr == ""

    done = verify(planted, "--json", "report.json", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    for number, part, _, reason in PLANTED:
        start = f"{file_of(planted, number, part)}: {reason}"
        assert any(line.startswith(start) for line in lines), start
    assert lines[-1] == f"{PAIRS} pairs of 'train' read: 20 bad files in 16 of them"
    report: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())
    assert (report["pairs"], report["bad_pairs"], report["decoded"]) == (PAIRS, 16, True)
    assert [(fault["sample"], fault["part"]) for fault in report["faults"]] == [
        (number, part) for number, part, _, _ in PLANTED
    ]

    done = verify(planted, "--quiet", "--fast", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    done = verify(sound, "--json", "nowhere/report.json", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "dali-voc: nowhere/report.json: found no folder nowhere, expected one to write into\n"
    )


def test_real_samples(make_config: MakeConfig, real_voc: Path) -> None:
    for fast in False, True:
        assert verify_split(make_config(real_voc), split="trainval", fast=fast).is_sound


def test_pictures_are_not_padded_to_each_other(make_config: MakeConfig, tmp_path: Path) -> None:
    """Else wide and high ones together would take the memory of large ones."""
    root = write_voc(tmp_path / "voc", train=6, val=1)
    sizes = [(9000, 16), (16, 9000)] * 3
    names = (root / "ImageSets/Segmentation/train.txt").read_text().split()
    for name, (height, width) in zip(names, sizes, strict=True):
        Image.new("RGB", (width, height)).save(root / f"JPEGImages/{name}.jpg")
        Image.new("P", (width, height)).save(root / f"SegmentationClass/{name}.png")
    config = make_config(root)
    index = find_index(config.dataset, "train")
    checker = _Checker(config, index, decode=True)
    read = read_once(index, checker._build_whole, samples=range(6), raising=True)
    for (_, found), size in zip(read, sizes, strict=True):
        assert not isinstance(found, SampleError)
        assert (found[0].shape, found[1].shape) == ((3, *size), size)
    assert verify_split(config).is_sound


def test_names_that_are_not_utf_8_in_a_strict_terminal(sound: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(sound, tmp_path / "voc"))
    name = os.fsdecode(b"na\xefve")
    (root / f"JPEGImages/{name}.jpg").write_bytes(b"no picture")
    shutil.copy(file_of(root, 0, "label"), root / f"SegmentationClass/{name}.png")
    with open(root / "ImageSets/Segmentation/train.txt", "ab") as file:
        file.write(b"\n" + os.fsencode(name) + b"\n")
    done = subprocess.run(
        [sys.executable, "-m", "dali_voc", "verify", CONFIG, "--set", f"dataset.root={root}"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"na\\udcefve" in done.stdout
