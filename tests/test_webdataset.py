"""Tar shards in WebDataset's form: the same batches as from loose files; shards that are bad."""

from __future__ import annotations

import functools
import gzip
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from pickled import assert_pickles
from tar_writer import write_shards, write_tar

from dali_voc import Config, DatasetError, SampleError, build_loader
from dali_voc.counting import count_classes
from dali_voc.datasets import _tar_index, find_pairs
from dali_voc.datasets._tar_scan import scan_shard

MakeConfig = Callable[..., Config]
PAIR = [("a.jpg", b"image"), ("a.png", b"label")]


def batches(config: Config, split: str) -> list[torch.Tensor]:
    with build_loader(config, split=split) as loader:
        return [tensor.clone() for batch in loader for tensor in batch]


@pytest.fixture
def tars(voc: Path, tmp_path: Path) -> Path:
    for split in "train", "val":
        write_shards(voc, tmp_path / "tars", split)
    return tmp_path / "tars"


def config_of(make_config: MakeConfig, root: object, **sections: dict[str, object]) -> Config:
    return make_config(**{"dataset": {"name": "webdataset", "root": str(root)}, **sections})


@pytest.mark.parametrize("split", ["train", "val"])
def test_same_batches_as_from_loose_files(make_config: MakeConfig, tars: Path, split: str) -> None:
    for augment in {}, {"small": "drop", "scale": [0.5, 2.0]}:
        expected = batches(make_config(augment=augment), split)
        found = batches(config_of(make_config, tars, augment=augment), split)
        assert len(found) == len(expected)
        assert all(map(torch.equal, found, expected))


def test_a_copy_in_another_process(make_config: MakeConfig, tars: Path) -> None:
    with build_loader(config_of(make_config, tars)) as loader:
        assert_pickles(loader)


def test_a_state_goes_from_loose_files_to_shards(make_config: MakeConfig, tars: Path) -> None:
    with build_loader(make_config()) as loose, build_loader(config_of(make_config, tars)) as loader:
        iterator = iter(loose)
        next(iterator)
        loader.load_state_dict(loose.state_dict())
        for (images, labels), (others, their_labels) in zip(iterator, loader, strict=True):
            assert torch.equal(images, others)
            assert torch.equal(labels, their_labels)


def test_statistics_are_the_same(make_config: MakeConfig, tars: Path) -> None:
    loose, found = (
        count_classes(config) for config in (make_config(), config_of(make_config, tars))
    )
    assert found.pixels == loose.pixels
    assert found.sample_classes == loose.sample_classes
    assert found.samples == loose.samples


def test_where_shards_are_looked_for(voc: Path, tmp_path: Path) -> None:
    ids = (voc / "ImageSets/Segmentation/val.txt").read_text().split()
    shards = write_shards(voc, tmp_path / "a/val", "val", label="seg.png")
    write_shards(voc, tmp_path / "b", "val", per_shard=100)[0].rename(tmp_path / "b/val.tar")
    find = functools.partial(find_pairs, "webdataset")
    for root in tmp_path / "a", tmp_path / "b", tmp_path / "a/{split}/{split}-*.tar":
        index = find(root, "val")
        assert [index.name(i) for i in range(len(index))] == ids
    index = find(tmp_path / "a", "val")
    assert index.labels[6] == f"{shards[1]}, {ids[6]}.seg.png"
    assert index.images[6] == f"{shards[1]}, {ids[6]}.jpg"
    with pytest.raises(DatasetError, match=r"found no shards of split 'test', expected /.* or /"):
        find(tmp_path / "a", "test")
    with pytest.raises(DatasetError, match=r"expected one of tar shards, or a pattern with \{spl"):
        find(tmp_path / "none", "val")


def test_classes_of_their_own(tars: Path) -> None:
    find = functools.partial(find_pairs, "webdataset")
    path = tars / "classes.json"
    path.write_text(json.dumps({"classes": ["road", "sky"], "colors": [[1, 2, 3], [4, 5, 6]]}))
    spec = find(tars, "val").spec
    assert (spec.classes, spec.colors) == (("road", "sky"), ((1, 2, 3), (4, 5, 6)))
    for text, reason in (
        ("[", "not JSON"),
        ('{"classes": ["a"]}', r"not a class list \(colors: Field required"),
        ('{"classes": ["a"], "colors": []}', r"not a class list \(1 classes but 0 colours"),
    ):
        path.write_text(text)
        with pytest.raises(DatasetError, match=reason):
            find(tars, "val")


def test_members_are_where_the_index_says(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    members = []
    for i in range(30):
        key = f"x/{'long/' * (i * 3)}{i}.5"  # long names take headers of their own
        for suffix in ("5.JPG", "5.json", "5.seg.png"):
            data = rng.integers(0, 256, int(rng.integers(1, 2000))).astype(np.uint8).tobytes()
            members.append((f"{key.rpartition('.')[0]}.{suffix[2:]}", data))
    rng.shuffle(members)
    write_tar(tmp_path / "s.tar", members)
    content, expected = (tmp_path / "s.tar").read_bytes(), dict(members)
    found = scan_shard(tmp_path / "s.tar").pairs
    first = {name.partition(".")[0]: None for name, _ in members if not name.endswith("json")}
    assert list(found) == list(first)
    for key, (image, label) in found.items():
        for member, suffix in (image, "JPG"), (label, "seg.png"):
            data = content[member.offset : member.offset + member.size]
            assert data == expected[f"{key}.{suffix}"]


BAD: dict[str, tuple[list[tuple[str, bytes]], str]] = {
    "no label": (
        [*PAIR, *((f"{k}.jpg", b"x") for k in "bcde")],
        "found 4 images without a label (b, c, d and 1 more), expected KEY.png or KEY.seg.png as",
    ),
    "no image": (
        [*PAIR, ("b.png", b"x")],
        "found 1 labels without an image (b), expected KEY.jpg, KEY.jpeg or KEY.png as well",
    ),
    "twice": ([*PAIR, *PAIR], "found 2 members that occur twice (a.jpg, a.png), expected each"),
    "two images": ([*PAIR, ("a.jpeg", b"x")], "found 1 keys with two images (a), expected one"),
}


@pytest.mark.parametrize("kind", BAD)
def test_members_that_do_not_pair(tmp_path: Path, kind: str) -> None:
    members, reason = BAD[kind]
    path = tmp_path / "val.tar"
    write_tar(path, members)
    with pytest.raises(DatasetError) as error:
        find_pairs("webdataset", tmp_path, "val")
    assert str(error.value).startswith(f"{path}: {reason}")
    assert not list(tmp_path.glob(".*")), "an index is kept only of a sound shard"


def test_a_key_in_two_shards(tmp_path: Path) -> None:
    write_tar(tmp_path / "val-0.tar", PAIR)
    write_tar(tmp_path / "val-1.tar", [("b.jpg", b"x"), ("b.png", b"x"), *PAIR])
    with pytest.raises(DatasetError) as error:
        find_pairs("webdataset", tmp_path, "val")
    assert str(error.value) == (
        f"{tmp_path}/val-1.tar: found a, which is in a shard before it as well, expected each key "
        "once (1 keys in all occur again)"
    )


def test_no_pairs(tmp_path: Path) -> None:
    write_tar(tmp_path / "val.tar", [("a.txt", b"x")])
    with pytest.raises(DatasetError, match="found no pairs"):
        find_pairs("webdataset", tmp_path, "val")


def test_files_that_are_no_sound_tar(tmp_path: Path) -> None:
    path = tmp_path / "val.tar"
    write_tar(path, [("a.jpg", b"i" * 700), ("a.png", b"l" * 700)])
    sound = path.read_bytes()
    damaged = bytearray(sound)
    damaged[3 * 512 + 5] ^= 1  # in the second header
    for content, reason in (
        (gzip.compress(sound), "this is compressed (gzip), expected a tar that is not compressed"),
        (sound[:600], "truncated tar"),
        (sound[: 4 * 512 + 700], "truncated tar"),
        (sound[: 6 * 512], "truncated tar"),
        (bytes(damaged), "damaged tar, no header where one should be, at 1536"),
        (b"no tar at all" * 100, "damaged or truncated tar"),
        (b"", "damaged or truncated tar"),
    ):
        path.write_bytes(content)
        with pytest.raises(DatasetError) as error:
            find_pairs("webdataset", tmp_path, "val")
        assert str(error.value).startswith(f"{path}: ")
        assert reason in str(error.value)
        assert "\n" not in str(error.value)


def test_an_index_is_made_once_and_anew_for_a_changed_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scanned: list[Path] = []
    monkeypatch.setattr(
        _tar_index,
        "scan_shard",
        lambda path, **options: (scanned.append(path), scan_shard(path, **options))[1],
    )
    path = tmp_path / "val.tar"
    write_tar(path, PAIR)
    for _ in range(3):
        index = find_pairs("webdataset", tmp_path, "val")
    assert scanned == [path]
    assert index.images.open(0).read() == b"image"
    write_tar(path, [("b.jpg", b"I"), ("b.png", b"L"), *PAIR])
    with pytest.raises(SampleError, match="has been written to since its index was made"):
        index.images.open(0)
    index = find_pairs("webdataset", tmp_path, "val")
    assert len(scanned) == 2
    assert [index.name(i) for i in range(len(index))] == ["b", "a"]
    (kept,) = tmp_path.glob(".*")
    for damage in b"", kept.read_bytes()[:300], b"PK rubbish":
        kept.write_bytes(damage)
        assert len(find_pairs("webdataset", tmp_path, "val")) == 2
    assert len(scanned) == 5


def test_a_shard_that_is_written_again_with_the_same_size_and_time(tmp_path: Path) -> None:
    """As by `tar --mtime`: sizes of tar files are rounded up."""
    path = tmp_path / "val.tar"
    for written, names in (PAIR, ["a"]), ([("b.jpg", b"image"), ("b.png", b"label")], ["b"]):
        path.unlink(missing_ok=True)
        write_tar(path, written)
        os.utime(path, (0, 0))
        index = find_pairs("webdataset", tmp_path, "val")
        assert [index.name(i) for i in range(len(index))] == names


def test_a_user_without_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    """As in a container with a number of its own: nothing is written to a folder called ~."""
    write_tar(tmp_path / "val.tar", PAIR)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.chdir(tmp_path)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(_tar_index, "write_bytes", read_only)
    assert len(find_pairs("webdataset", tmp_path, "val")) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["val.tar"]
    assert "its index cannot be kept" in caplog.text


def test_an_index_beside_a_read_only_shard_goes_to_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tar(tmp_path / "val.tar", PAIR)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write = _tar_index.write_bytes

    def read_only(path: Path, data: bytes, **keys: bool) -> None:
        if path.parent == tmp_path:
            raise OSError(30, "Read-only file system")
        write(path, data, **keys)

    monkeypatch.setattr(_tar_index, "write_bytes", read_only)
    find_pairs("webdataset", tmp_path, "val")
    assert len(list((tmp_path / "cache/dali_voc").iterdir())) == 1
    monkeypatch.setattr(_tar_index, "scan_shard", None)  # no more needed
    assert find_pairs("webdataset", tmp_path, "val").images.open(0).read() == b"image"


def test_a_shard_written_to_while_the_loader_runs(make_config: MakeConfig, tars: Path) -> None:
    config = config_of(make_config, tars)
    with build_loader(config, split="val") as loader:
        next(iter(loader))
        os.utime(tars / "val-00000.tar", ns=(1, 1))
        with pytest.raises(SampleError) as error:
            list(loader)
    assert error.value.path.startswith(f"{tars}/val-00000.tar, made_0000")
    assert error.value.reason == "the file has been written to since its index was made"


def test_bad_members_are_named(make_config: MakeConfig, voc: Path, tmp_path: Path) -> None:
    root = shutil.copytree(voc, tmp_path / "voc")
    ids = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    image, label = root / f"JPEGImages/{ids[2]}.jpg", root / f"SegmentationClass/{ids[5]}.png"
    image.write_bytes(image.read_bytes()[:2000])
    label.write_bytes(b"")
    (shard, second) = write_shards(root, tmp_path / "tars", "val")
    config = config_of(make_config, tmp_path / "tars", loader={"on_error": "skip"})
    with build_loader(config, split="val") as loader:
        list(loader)
        found = {file.path: file.reason for file in loader.report().bad_files}
    assert found == {
        f"{shard}, {ids[2]}.jpg": "truncated JPEG: the file ends before its end marker",
        f"{second}, {ids[5]}.png": "the file is empty",
    }
    assert tarfile.is_tarfile(shard)


def test_shards_of_a_split_whose_name_begins_alike(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "val-000.tar", "val-001.tar", "val-hard-000.tar":
        write_tar(
            tmp_path / name,
            [(f"{name[:-4]}{end}", data) for end, data in ((".jpg", b"image"), (".png", b"label"))],
        )
    index = find_pairs("webdataset", tmp_path, "val")
    assert [index.name(i) for i in range(len(index))] == ["val-000", "val-001"]
    assert "1 shards of split 'val' are left out, as no number follows (val-hard" in caplog.text
    assert len(find_pairs("webdataset", tmp_path, "val-hard")) == 1
    assert len(find_pairs("webdataset", tmp_path / "{split}-*.tar", "val")) == 3
    for name in "val-000.tar", "val-001.tar":
        (tmp_path / name).unlink()
    assert len(find_pairs("webdataset", tmp_path, "val")) == 1


def test_shards_of_pictures_without_labels(
    voc: Path, make_config: MakeConfig, tmp_path: Path
) -> None:
    """Also of shards that have labels, whose own index is another."""
    shards = write_shards(voc, tmp_path / "both", "train")
    for shard in shards:
        with tarfile.open(shard) as tar:
            members = [
                (info.name, tar.extractfile(info).read())  # type: ignore[union-attr]
                for info in tar
                if info.name.endswith(".jpg")
            ]
        (tmp_path / "alone").mkdir(exist_ok=True)
        write_tar(tmp_path / "alone" / shard.name, members)
    augment = {"crop_size": [64, 96], "scale": [0.5, 2.0]}
    loose = make_config(dataset={"unlabeled": True}, augment=augment)
    expected = batches(loose, "train")
    for folder in "both", "alone", "both":
        dataset = {"name": "webdataset", "root": str(tmp_path / folder)}
        found = batches(
            make_config(dataset={**dataset, "unlabeled": True}, augment=augment), "train"
        )
        assert len(found) == len(expected)
        assert all(map(torch.equal, found, expected))
        labelled = make_config(dataset=dataset, augment=augment)
        if folder == "both":
            assert (batches(labelled, "train")[1] != 255).any()
        else:
            with pytest.raises(DatasetError, match="images without a label"):
                build_loader(labelled)
    write_tar(tmp_path / "alone/none-0.tar", [("a.seg.png", b"label"), ("b.txt", b"text")])
    nothing = make_config(dataset={**dataset, "root": str(tmp_path / "alone"), "unlabeled": True})
    with pytest.raises(DatasetError, match=r"none-0\.tar: found no images, expected KEY\.jpg"):
        build_loader(nothing, split="none")


def test_a_sparse_member(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        for name in "a.jpg", "a.png":
            member = tarfile.TarInfo(name)
            member.size = 512
            member.pax_headers = {"GNU.sparse.map": "0,512", "GNU.sparse.size": "512"}
            tar.addfile(member, io.BytesIO(bytes(512)))
    with pytest.raises(DatasetError, match=r"a\.jpg is stored as a sparse file"):
        scan_shard(tmp_path / "a.tar")
