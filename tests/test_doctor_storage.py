"""Which files are read, whether they came from the page cache, and what is made of the figures."""

from __future__ import annotations

import mmap
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dali_voc import Config, parse_config
from dali_voc.datasets import find_index
from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._storage_lines import check_data, check_storage
from dali_voc.packing import pack_split
from dali_voc.probing import storage
from dali_voc.probing._mounts import file_system
from dali_voc.probing._pieces import Piece, pieces_of_folder, pieces_of_split

FACTS = {
    "files": 100,
    "bytes": 11_000_000,
    "seconds": 0.5,
    "cached": 0,
    "unknown": 0,
    "system": "x",
}
MORE = {"more_threads": 16, "more_bytes": 11_000_000, "more_seconds": 0.0625}


def _bytes(piece: Piece) -> bytes:
    data = Path(os.fsdecode(piece.path)).read_bytes()[piece.offset :]
    return data if piece.size is None else data[: piece.size]


def _probe(**request: Any) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    common = {"config": None, "folder": None, "split": "train", "threads": 2, "seconds": 60.0}
    storage.probe({**common, "most": 400, **request}, lambda **some: facts.update(some))
    return facts


@pytest.mark.parametrize("most", [1, 2, 5, 100])
def test_pieces_of_a_split(make_config: Callable[..., Config], voc: Path, most: int) -> None:
    index = find_index(make_config().dataset, "train")
    pieces = pieces_of_split(index, most=most)
    paths = [os.fsdecode(piece.path) for piece in pieces]
    assert len(paths) == 2 * min(most, 14) == len(set(paths))
    for image, label in zip(paths[::2], paths[1::2], strict=True):
        i = [index.images[i] for i in range(14)].index(image)
        assert label == index.labels[i]
    if most > 1:  # from one end to the other
        assert (paths[0], paths[-1]) == (index.images[0], index.labels[13])


def test_pieces_of_a_pack(make_config: Callable[..., Config], tmp_path: Path) -> None:
    """The same bytes as the images have as files; shards are not read whole."""
    pack_split(make_config(), tmp_path / "pack", split="train")
    packed = parse_config({"dataset": {"name": "packed", "root": str(tmp_path / "pack")}})
    pieces = pieces_of_split(find_index(packed.dataset, "train"), most=14)
    plain = pieces_of_split(find_index(make_config().dataset, "train"), most=14)
    assert [_bytes(piece) for piece in pieces[::2]] == [_bytes(piece) for piece in plain[::2]]
    done = storage.read_all(pieces, threads=3, seconds=60)
    assert (done.files, done.size) == (28, sum(len(_bytes(piece)) for piece in pieces))


def test_pieces_of_a_folder(tmp_path: Path) -> None:
    for name, size in {"b/2": 10, "b/c/3": 5, "a": 9 * 2**20, "empty": 0}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    pieces = pieces_of_folder(str(tmp_path), most=10)
    names = [os.path.relpath(os.fsdecode(piece.path), tmp_path) for piece in pieces]
    assert names == ["a", "b/2", "b/c/3"]
    assert storage.read_all(pieces, threads=1, seconds=60).size == 8 * 2**20 + 15
    assert len(pieces_of_folder(str(tmp_path), most=2)) == 2
    with pytest.raises(FileNotFoundError):
        pieces_of_folder(str(tmp_path / "none"), most=2)


def test_each_piece_is_read_once_whatever_the_threads(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 3 * 2**20, 30).tolist()
    pieces = []
    for i, size in enumerate(sizes):
        (tmp_path / str(i)).write_bytes(bytes(size))
        pieces.append(Piece(path=os.fsencode(tmp_path / str(i))))
    for threads in 1, 2, 7, 50:
        done = storage.read_all(pieces, threads=threads, seconds=60)
        assert (done.files, done.size) == (30, sum(sizes))
        assert done.seconds > 0
    assert storage.read_all(pieces, threads=2, seconds=-1.0).files == 0


def test_the_page_cache_is_emptied_or_not_lied_about(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(100_000))
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    piece = Piece(path=os.fsencode(path))
    if file_system(piece.path) in ("ext4", "xfs", "btrfs"):
        path.read_bytes()
        assert storage.drop(piece) == "no"
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            assert sum(mapped[::4096]) == 0
            assert storage.drop(piece) == "yes"  # what somebody has mapped stays
    memory = Path("/dev/shm")
    if file_system(os.fsencode(memory)) == "tmpfs" and os.access(memory, os.W_OK):
        other = memory / f"dali-voc-test-{os.getpid()}"
        other.write_bytes(bytes(100_000))
        try:
            assert storage.drop(Piece(path=os.fsencode(other))) in ("yes", "unknown")
        finally:
            other.unlink()
    with pytest.raises(FileNotFoundError):
        storage.drop(Piece(path=os.fsencode(tmp_path / "none")))


def test_probe_of_a_split(make_config: Callable[..., Config], voc: Path) -> None:
    facts = _probe(config=make_config().model_dump(mode="json"))
    index = find_index(make_config().dataset, "train")
    sizes = [os.path.getsize(side[i]) for side in (index.images, index.labels) for i in range(14)]
    assert (facts["pairs"], facts["files"], facts["bytes"]) == (14, 28, sum(sizes))
    assert 0 <= facts["cached"] + facts["unknown"] <= 28
    assert "unreadable" not in facts


def test_many_files_are_read_by_more_threads_too(tmp_path: Path) -> None:
    """Half of them each, images and labels alike."""
    for i in range(200):
        (tmp_path / f"{i:03}").write_bytes(bytes(1000 if i % 2 else 10))
    facts = _probe(folder=str(tmp_path))
    assert (facts["files"], facts["bytes"]) == (100, 50 * 1010)
    assert (facts["more_threads"], facts["more_bytes"]) == (16, 50 * 1010)
    assert facts["more_seconds"] > 0


def test_probe_goes_on_after_files_that_cannot_be_opened(
    make_config: Callable[..., Config], tmp_path: Path, voc: Path
) -> None:
    root = shutil.copytree(voc, tmp_path / "voc")
    gone = root / "JPEGImages/made_000003.jpg"
    gone.unlink()
    config = make_config(root, loader={"on_error": "skip"})
    facts = _probe(config=config.model_dump(mode="json"))
    assert (facts["files"], facts["unreadable"]) == (27, 1)
    assert facts["why"] == f"{gone}: No such file or directory"
    finding = check_storage(Outcome(facts=facts), of_split=True, needed=None)
    assert (finding.level, str(gone) in finding.found) == ("warning", True)


def test_probe_of_an_empty_folder(tmp_path: Path) -> None:
    facts = _probe(folder=str(tmp_path))
    assert facts["files"] == 0
    assert check_storage(Outcome(facts=facts), of_split=False, needed=5.0).level == "warning"


# 11 MB in 0.5 s and 100 files: 22 MB/s; 100 pairs/s of two files, 200 of VOC's size
@pytest.mark.parametrize(
    ("change", "of_split", "needed", "level", "found"),
    [
        ({}, True, None, "ok", "22 MB/s, 200 files/s (100 files, 11.0 MB on x)"),
        ({}, True, 99.0, "ok", "that is 100 pairs/s, and the loader here can take 99"),
        ({}, True, 101.0, "warning", "that is 100 pairs/s, and the loader here can take 101"),
        ({}, False, 199.0, "ok", "that is 200 pairs/s of 0.11 MB, as VOC's are"),
        ({}, False, 201.0, "warning", "read from the storage itself"),
        ({"cached": 10}, True, 101.0, "warning", "read from the storage itself"),
        ({"cached": 11}, True, 101.0, "ok", "11 % of them from memory"),
        ({"cached": 100}, True, 101.0, "ok", "100 % of them from memory"),
        ({"unknown": 100}, True, 101.0, "ok", "perhaps from memory"),
        ({"system": None}, True, None, "ok", "11.0 MB), read from"),
        # 16 threads read 8 times as much
        ({**MORE}, True, 90.0, "warning", "16 threads read 800 pairs/s"),
        ({**MORE}, True, 49.0, "ok", "that is 100 pairs/s, and the loader here can take 49"),
        ({**MORE, "more_seconds": 0.3}, True, 90.0, "ok", "the loader here can take 90"),
        ({**MORE, "cached": 100}, True, 90.0, "ok", "100 % of them from memory"),
    ],
)
def test_storage(
    change: dict[str, Any], of_split: bool, needed: float | None, level: str, found: str
) -> None:
    read = Outcome(facts={**FACTS, **change})
    finding = check_storage(read, of_split=of_split, needed=needed)
    assert finding.level == level
    assert found in finding.found


def test_storage_that_hangs() -> None:
    trouble = "reading files: it did not end within 120 s"
    finding = check_storage(Outcome(facts={"pairs": 5}, trouble=trouble), of_split=True, needed=1.0)
    assert (finding.level, finding.found) == ("failure", trouble)
    assert check_data(Outcome(facts={"pairs": 5}, trouble=trouble), split="val").level == "ok"
    finding = check_data(Outcome(trouble="x: no such folder"), split="val")
    assert (finding.level, finding.found) == ("failure", "x: no such folder")


def test_file_systems(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    real = os.path.realpath(tmp_path)
    spaced = real + "/a\\040b"
    mounts.write_text(
        "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
        f"23 22 0:5 / {real} rw - overlay overlay rw\n"
        f"24 23 0:6 / {real} rw shared:2 master:1 - fuse.sshfs host: rw\n"
        f"25 23 0:7 / {spaced} rw - nfs4 host:/x rw\n"
        "nonsense\n"
    )
    kinds = {"": "fuse.sshfs", "/a b/c": "nfs4", "/a bc": "fuse.sshfs", "/x": "fuse.sshfs"}
    for inside, kind in kinds.items():
        assert file_system(os.fsencode(real + inside), mounts=mounts) == kind
    assert file_system(b"/elsewhere", mounts=mounts) == "ext4"
    assert file_system(b"/elsewhere", mounts=tmp_path / "none") is None
