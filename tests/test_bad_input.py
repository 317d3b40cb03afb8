"""Everything that can be wrong with the data: one sentence, our exception, the file's name."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from warm_python import warm_python

from dali_voc import Config, DaliVocError, DatasetError, SampleError, build_loader
from dali_voc.pictures import denormalize

MakeConfig = Callable[..., Config]


@pytest.fixture
def root(voc: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(voc, tmp_path / "VOC2012")


def names(root: Path, split: str = "train") -> list[str]:
    return (root / f"ImageSets/Segmentation/{split}.txt").read_text().split()


def failure(config: Config, split: str = "train") -> DaliVocError:
    with pytest.raises(DaliVocError) as error, build_loader(config, split=split) as loader:
        for _ in loader:
            pass
    text = str(error.value)
    assert "\n" not in text
    assert "dali::" not in text
    assert not re.search("0x[0-9a-f]{6}", text)
    return error.value


def test_missing_root(make_config: MakeConfig, tmp_path: Path) -> None:
    error = failure(make_config(tmp_path / "nowhere"))
    assert isinstance(error, DatasetError)
    assert str(error) == f"{tmp_path}/nowhere: no such folder, expected the root of PASCAL VOC"


def test_the_folder_above_the_root_gets_a_hint(make_config: MakeConfig, root: Path) -> None:
    assert f"did you mean {root}?" in str(failure(make_config(root.parent)))


def test_missing_split(make_config: MakeConfig, root: Path) -> None:
    error = failure(make_config(root), split="trian")
    assert "trian.txt: no such file" in str(error)
    assert "there are: train, trainval, val" in str(error)


def test_empty_split(make_config: MakeConfig, root: Path) -> None:
    (root / "ImageSets/Segmentation/val.txt").write_text("\n  \n")
    assert "the list of split 'val' is empty" in str(failure(make_config(root), split="val"))


@pytest.mark.parametrize(
    ("what", "path"), [("image", "JPEGImages/{}.jpg"), ("label", "SegmentationClass/{}.png")]
)
def test_id_without_a_file(make_config: MakeConfig, root: Path, what: str, path: str) -> None:
    name = names(root)[5]
    (root / path.format(name)).unlink()
    error = failure(make_config(root))
    assert isinstance(error, DatasetError)
    assert f"{root / path.format(name)}: no such file, expected the {what} of '{name}'" in str(
        error
    )


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped_bit_in_a_png(path: Path) -> None:
    Image.open(path).save(path, "PNG")
    file = bytearray(path.read_bytes())
    file[len(file) * 2 // 3] ^= 4
    path.write_bytes(file)


DAMAGE: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "truncated image": (
        "JPEGImages/{}.jpg",
        half,
        "truncated JPEG: the file ends before its end marker",
    ),
    "image cut in its header": (
        "JPEGImages/{}.jpg",
        lambda p: p.write_bytes(p.read_bytes()[:100]),
        "damaged image",
    ),
    "empty image": ("JPEGImages/{}.jpg", lambda p: p.write_bytes(b""), "the file is empty"),
    "flipped bit in a PNG image": (
        "JPEGImages/{}.jpg",
        flipped_bit_in_a_png,
        "damaged PNG: a chunk's checksum (CRC) is wrong",
    ),
    "text as image": (
        "JPEGImages/{}.jpg",
        lambda p: p.write_bytes(b"no picture\n" * 50),
        "not an image of a known format",
    ),
    "truncated label": ("SegmentationClass/{}.png", half, "truncated PNG"),
    "empty label": ("SegmentationClass/{}.png", lambda p: p.write_bytes(b""), "the file is empty"),
    "JPEG as label": (
        "SegmentationClass/{}.png",
        lambda p: shutil.copy(p.parents[1] / f"JPEGImages/{p.stem}.jpg", p),
        "this is a JPEG file, labels must be PNG",
    ),
    "label of another size": (
        "SegmentationClass/{}.png",
        lambda p: Image.open(p).crop((0, 0, 99, 77)).save(p),
        "the label is 99x77 (width x height), ",
    ),
    "unknown colour": (
        "SegmentationClass/{}.png",
        lambda p: Image.new("RGB", Image.open(p).size, (1, 2, 3)).save(p),
        "colour (1, 2, 3) is not in the label table, found in ",
    ),
}


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize("number", [0, 6, 13])
def test_damaged_file_is_named(make_config: MakeConfig, root: Path, kind: str, number: int) -> None:
    folder, damage, reason = DAMAGE[kind]
    path = root / folder.format(names(root)[number])
    damage(path)
    error = failure(make_config(root, augment={"crop_size": [64, 64]}))
    assert isinstance(error, SampleError)
    assert error.path == str(path)
    assert str(error).startswith(f"{path}: ")
    assert reason in error.reason
    if kind == "label of another size":
        assert f"{root}/JPEGImages/{path.stem}.jpg is " in error.reason


def test_a_file_that_disappears_later(make_config: MakeConfig, root: Path) -> None:
    config = make_config(root)
    with build_loader(config) as loader:
        path = root / f"JPEGImages/{names(root)[3]}.jpg"
        path.unlink()
        with pytest.raises(SampleError, match="no such file") as error:
            list(loader)
        assert error.value.path == str(path)


def test_batches_before_the_bad_one_are_delivered_and_the_loader_survives(
    make_config: MakeConfig, root: Path
) -> None:
    config = make_config(root, augment={"crop_size": [64, 64]}, loader={"prefetch": 4})
    with build_loader(config, split="val") as loader:
        sound = [images.clone() for images, _ in loader]
    path = root / f"SegmentationClass/{names(root, 'val')[5]}.png"
    bytes_before = path.read_bytes()
    half(path)
    with build_loader(config, split="val") as loader:
        found: list[torch.Tensor] = []
        with pytest.raises(SampleError):
            found.extend(images for images, _ in loader)
        assert len(found) == 1
        assert torch.equal(found[0], sound[0])
        path.write_bytes(bytes_before)
        assert len(list(loader)) == 2


def test_unknown_colours_can_be_ignored(make_config: MakeConfig, root: Path) -> None:
    path = root / f"SegmentationClass/{names(root, 'val')[0]}.png"
    Image.new("RGB", Image.open(path).size, (1, 2, 3)).save(path)
    config = make_config(root, labels={"unknown": "ignore", "ignore_index": 200})
    with build_loader(config, split="val") as loader:
        _, labels = next(iter(loader))
        assert (labels[0] == 200).all()
        assert (labels[1] != 200).any()


def test_exif_orientation_does_not_turn_the_image(make_config: MakeConfig, root: Path) -> None:
    first, second = names(root, "val")[:2]
    picture = Image.open(root / f"JPEGImages/{first}.jpg")
    for name, orientation in (first, 1), (second, 6):
        exif = picture.getexif()
        exif[0x0112] = orientation
        picture.save(root / f"JPEGImages/{name}.jpg", quality=95, exif=exif)
        shutil.copy(
            root / f"SegmentationClass/{first}.png", root / f"SegmentationClass/{name}.png"
        ) if name != first else None
    config = make_config(root)
    with build_loader(config, split="val") as loader:
        images, labels = next(iter(loader))
    assert torch.equal(images[0], images[1])
    assert torch.equal(labels[0], labels[1])


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGBA", "P", "progressive"])
def test_other_kinds_of_image(make_config: MakeConfig, root: Path, mode: str) -> None:
    name = names(root, "val")[0]
    path = root / f"JPEGImages/{name}.jpg"
    picture = Image.open(path)
    if mode == "progressive":
        picture.save(path, progressive=True)
    else:
        buffer = io.BytesIO()
        picture.convert(mode).save(buffer, "JPEG" if mode in ("L", "CMYK") else "PNG")
        path.write_bytes(buffer.getvalue())
    expected = np.array(Image.open(path).convert("RGB"))
    config = make_config(root, augment={"crop_size": [64, 64]})
    with build_loader(config, split="val") as loader:
        images, _ = next(iter(loader))
    found = denormalize(images[:1], config.normalize)[0].astype(int)
    y, x = ((s - 64 + 1) // 2 for s in expected.shape[:2])
    # Pillow's decoder and DALI's round differently, most of all in CMYK
    difference = np.abs(found - expected[y : y + 64, x : x + 64])
    assert difference.max() <= (4 if mode == "CMYK" else 2)


def test_the_process_ends_cleanly(root: Path) -> None:
    """No hang, no trace of DALI's: an uncaught error ends the process at once with code 1."""
    half(root / f"JPEGImages/{names(root)[3]}.jpg")
    done = subprocess.run(
        [*warm_python(), "-m", "dali_voc", "demo", "--root", root, "--out", root / "out"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=root,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"dali-voc: {root}/JPEGImages/{names(root)[3]}.jpg: truncated JPEG")
    assert "Traceback" not in done.stderr
