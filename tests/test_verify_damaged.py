"""`verify_split` lists JPEG files that libjpeg warns of, though loaders read them."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from dali_voc import Config, build_loader
from dali_voc.commands import app
from dali_voc.synthetic import write_voc
from dali_voc.verifying import verify_split

MakeConfig = Callable[..., Config]
CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
END = b"\xff\xd9"


def without_end(file: bytes) -> bytes:
    assert file.endswith(END)
    return file[:-2]


def early_end(file: bytes) -> bytes:
    return without_end(file)[: len(file) // 2] + END


def more_data(file: bytes) -> bytes:
    return without_end(file) + bytes(40) + END


def zeroed_block(file: bytes) -> bytes:
    """As file systems leave what was not yet written when the power failed."""
    at = len(file) // 2
    return file[:at] + bytes(512) + file[at + 512 :]


def progressive(file: bytes) -> bytes:
    written = io.BytesIO()
    Image.open(io.BytesIO(file)).save(written, "JPEG", progressive=True, quality=95)
    return written.getvalue()


def restarts_missing(file: bytes) -> bytes:
    """A file with restart markers, of which one interval is gone."""
    written = io.BytesIO()
    Image.open(io.BytesIO(file)).save(written, "JPEG", restart_marker_rows=1)
    first, rest = written.getvalue().split(b"\xff\xd1", 1)
    return first + b"\xff\xd1" + rest[rest.index(b"\xff\xd2") :]


DAMAGED: dict[int, tuple[Callable[[bytes], bytes], str]] = {
    1: (early_end, "premature end of data segment"),
    3: (more_data, "extraneous bytes before marker 0xd9"),
    4: (zeroed_block, "Corrupt JPEG data"),
    6: (lambda file: early_end(progressive(file)), "premature end"),
    9: (restarts_missing, "Corrupt JPEG data"),
}
SOUND: dict[int, Callable[[bytes], bytes]] = {
    0: progressive,
    # a revision of JFIF to come; more behind the end, as some cameras write; a comment
    2: lambda file: file.replace(b"JFIF\0\1\1", b"JFIF\0\2\1", 1),
    5: lambda file: file + b"a second picture",
    7: lambda file: file[:2] + b"\xff\xfe\0\5abc" + file[2:],
}


def image_of(root: Path, number: int) -> Path:
    return root / f"JPEGImages/made_{number:06d}.jpg"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_voc(tmp_path_factory.mktemp("damaged") / "voc", train=10, val=1)
    changes = {number: change for number, (change, _) in DAMAGED.items()} | SOUND
    for number, change in changes.items():
        path = image_of(root, number)
        before = path.read_bytes()
        path.write_bytes(change(before))
        assert path.read_bytes() != before, number
    return root


def test_they_are_listed(make_config: MakeConfig, root: Path) -> None:
    found = verify_split(make_config(root))
    assert [fault.sample for fault in found.faults] == list(DAMAGED)
    for fault, (number, (_, words)) in zip(found.faults, DAMAGED.items(), strict=True):
        assert (fault.part, fault.file) == ("image", str(image_of(root, number)))
        assert fault.reason.startswith("damaged JPEG: ")
        assert words in fault.reason
        assert fault.reason.endswith("; loaders read it all the same")
        assert not fault.is_refused
    assert found.damaged == found.faults
    assert (found.is_sound, found.bad_pairs) == (True, 0)


def test_they_are_read(make_config: MakeConfig, root: Path) -> None:
    """Which is what the report says of them."""
    config = make_config(root, augment={"validation": "full"}, loader={"batch_size": 1})
    with build_loader(config, split="train", training=False) as loader:
        assert len(list(loader)) == 10


def test_not_without_decoding(make_config: MakeConfig, root: Path) -> None:
    assert verify_split(make_config(root), fast=True).faults == ()


def test_beside_bad_files(make_config: MakeConfig, root: Path, tmp_path: Path) -> None:
    """A bad label hides nothing of its image, and a file that is refused is."""
    copied = Path(shutil.copytree(root, tmp_path / "voc"))
    (copied / "SegmentationClass/made_000003.png").write_bytes(b"")
    path = image_of(copied, 8)
    path.write_bytes(path.read_bytes()[:1000])
    found = verify_split(make_config(copied))
    assert [(fault.sample, fault.part, fault.is_refused) for fault in found.faults] == [
        *((1, "image", False), (3, "image", False), (3, "label", True), (4, "image", False)),
        *((6, "image", False), (8, "image", True), (9, "image", False)),
    ]
    assert (found.is_sound, found.bad_pairs) == (False, 2)


def test_command(root: Path, tmp_path: Path) -> None:
    """They are shown, and do not change the exit code."""
    report = tmp_path / "report.json"
    options = ["--set", f"dataset.root={root}", "--json", str(report)]
    done = CliRunner().invoke(app, ["verify", str(CONFIG), *options])
    assert done.exit_code == 0, done.output
    flat = " ".join(done.output.split())
    assert "10 pairs of 'train' read: 5 damaged files that loaders read" in flat
    assert "nothing is wrong" not in flat
    faults = json.loads(report.read_text())["faults"]
    assert [fault["is_refused"] for fault in faults] == [False] * 5


def test_a_picture_of_every_size(make_config: MakeConfig, tmp_path: Path) -> None:
    """The last row of a picture may be any in a row of blocks."""
    root = write_voc(tmp_path / "voc", train=40, val=1)
    rng = np.random.default_rng(1)
    expected = []
    for number in range(40):
        height, width = rng.integers(1, 40, 2).tolist()
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, "JPEG", subsampling=number % 3)
        change = more_data if number % 2 else bytes
        image_of(root, number).write_bytes(change(written.getvalue()))
        label = root / f"SegmentationClass/made_{number:06d}.png"
        Image.new("P", (width, height)).save(label)
        if number % 2:
            expected.append(number)
    found = verify_split(make_config(root))
    assert [fault.sample for fault in found.damaged] == expected
    assert found.is_sound
