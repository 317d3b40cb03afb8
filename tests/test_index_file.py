"""`dali-voc index` and `dataset.index`: as a fresh listing, until something changes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from panoptic_tree import write_panoptic
from test_commands import dali_voc
from test_dataset_cityscapes import write_pair
from whole_labels import write_image, write_label

from dali_voc import Config, build_loader, parse_config
from dali_voc.datasets import ChainList, PairIndex, PathList, _index_file, find_index
from dali_voc.datasets._index_arrays import arrays_of, index_from
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.errors import ConfigError, DatasetError
from dali_voc.indexing import write_index
from dali_voc.packing import pack_split
from dali_voc.synthetic import write_voc

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
IDS = np.arange(34).reshape(2, 17)
CLASS_FILE = {"classes": ["a", "b"], "colors": [[0, 0, 0], [9, 9, 9]]}


def write_cityscapes(root: Path) -> Path:
    for name in "ulm_000001_000019", "bad-ems_000000_000019", "bad_000000_000019":
        for split in "train", "val":
            write_pair(root, split, name, {"labelIds": IDS})
    # a city of which there is nothing yet
    (root / "leftImg8bit/train/bonn").mkdir()
    return root


def write_folder(root: Path) -> Path:
    for stem in "x", "farm/y", "farm/deep/z":
        write_image(root / f"pictures/{stem}.png", (8, 9))
        write_label(root / f"masks/{stem}_L.png", np.arange(72).reshape(8, 9) % 2)
    (root / "pictures/farm/empty").mkdir()
    (root / "classes.json").write_text(json.dumps(CLASS_FILE))
    return root


def write_scenes(root: Path) -> Path:
    for stem in "s1", "s2":
        write_image(root / f"{stem}/left.png", (8, 9))
        write_label(root / f"{stem}/label.png", np.arange(72).reshape(8, 9) % 2)
    (root / "s3").mkdir()
    return root


def write_camvid(root: Path) -> Path:
    for stem in "a", "b":
        write_image(root / f"train/{stem}.png", (8, 9))
        write_label(root / f"train_labels/{stem}_L.png", np.zeros((8, 9, 3), int))
    (root / "class_dict.csv").write_text("name,r,g,b\nVoid,9,9,9\nroad,0,0,0\n")
    return root


def write_sources(root: Path) -> Path:
    write_voc(root / "voc", train=5, val=2)
    write_cityscapes(root / "cs")
    return root


def make_voc(root: Path) -> Path:
    return write_voc(root, train=5, val=2)


def make_panoptic(root: Path) -> Path:
    write_panoptic(root, split="train2017", names=("b", "a", "c"))
    return root


SOURCES = [
    {"name": "voc2012", "root": "voc", "map": {"*": "background"}},
    {"name": "cityscapes", "root": "cs", "map": {"*": "background"}, "weight": 7.5},
]
PATTERNS = {"images": "pictures/**/*.png", "masks": "masks/**/*_L.png"}
KINDS: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "voc2012": (make_voc, {}),
    "voc_map": (make_voc, {"name": "voc2012", "map": {"sofa": "chair", "cat": None}}),
    "cityscapes": (write_cityscapes, {}),
    "coco_panoptic": (make_panoptic, {"map": {"train": "person"}}),
    "folder": (write_folder, {**PATTERNS, "classes": "ROOT/classes.json"}),
    "scenes": (
        write_scenes,
        {"name": "folder", "images": "*/left.png", "masks": "*/label.png", "classes": ["a", "b"]},
    ),
    "camvid": (write_camvid, {}),
    "sources": (write_sources, {"classes": ["background", "person", "car"], "sources": SOURCES}),
}


def config_of(kind: str, root: Path, **more: Any) -> Config:
    keys = {"name": kind, **KINDS[kind][1], **more.pop("dataset", {})}
    if isinstance(keys.get("classes"), str):
        keys["classes"] = keys["classes"].replace("ROOT", str(root))
    return parse_config(
        {
            "dataset": {"root": str(root), **keys},
            "augment": {"crop_size": [16, 24]},
            "loader": {"batch_size": 2, "device": "cpu", "threads": 2, **more.pop("loader", {})},
            **more,
        }
    )


def with_index(config: Config, path: Path | str) -> Config:
    dataset = config.dataset.model_copy(update={"index": str(path)})
    return config.model_copy(update={"dataset": dataset})


def read(config: Config, path: Path | str, split: str = "train", **keys: Any) -> PairIndex:
    return find_index(with_index(config, path).dataset, split, **keys)


def lists_of(files: Any) -> list[PathList]:
    return list(files.lists) if isinstance(files, ChainList) else [files]


def assert_alike(found: PairIndex, fresh: PairIndex) -> None:
    n = len(fresh)
    assert len(found) == n > 0
    for ours, theirs in (found.images, fresh.images), (found.labels, fresh.labels):
        assert type(ours) is type(theirs)
        assert [ours[i] for i in range(n)] == [theirs[i] for i in range(n)]
        assert [ours.stem(i) for i in range(n)] == [theirs.stem(i) for i in range(n)]
    assert found.spec == fresh.spec
    assert found.meaning() == fresh.meaning()
    assert found.digest() == fresh.digest()
    assert found.columns == fresh.columns
    for name in "sizes", "source", "weights":
        ours, theirs = getattr(found, name), getattr(fresh, name)
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            assert ours.dtype == theirs.dtype
            assert np.array_equal(ours, theirs)
    rows = np.random.default_rng(0).permutation(n)
    for ours, theirs in zip(found.arrays(rows), fresh.arrays(rows), strict=True):
        assert ours.dtype == theirs.dtype
        assert np.array_equal(ours, theirs)


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def made(kind: str, tmp_path: Path) -> tuple[Config, Path]:
    """A configuration of a made-up data set, and the index of its train split."""
    root = KINDS[kind][0](tmp_path / "data")
    config, path = config_of(kind, root), tmp_path / "index.npz"
    write_index(config, path)
    return config, path


def test_as_a_fresh_listing(made: tuple[Config, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    config, path = made
    fresh = find_index(config.dataset, "train")
    with np.load(path, allow_pickle=False) as file:
        assert not any(file[name].dtype.hasobject for name in file.files)

    def no_listing(*_: Any) -> Any:
        raise AssertionError("a folder was listed")

    monkeypatch.setattr(os, "scandir", no_listing)
    monkeypatch.setattr(os, "listdir", no_listing)
    found = read(config, path)
    monkeypatch.undo()
    assert_alike(found, fresh)
    assert_alike(found.select([1, 0]), fresh.select([1, 0]))


def test_the_same_batches_and_states(made: tuple[Config, Path]) -> None:
    config, path = made
    with build_loader(config) as plain, build_loader(with_index(config, path)) as quick:
        for epoch in range(2):
            batches = list(zip(plain, quick, strict=True))
            assert len(batches) == len(plain)
            for ours, theirs in batches:
                assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), epoch
        state = plain.state_dict()
        assert quick.state_dict() == state
        quick.load_state_dict(state)


def test_text_is_shared(tmp_path: Path) -> None:
    """Images and labels with the same stems keep them once, in the file and in memory."""
    config = config_of("voc2012", make_voc(tmp_path / "data"))
    write_index(config, tmp_path / "i.npz")
    found = read(config, tmp_path / "i.npz")
    (images,), (labels,) = lists_of(found.images), lists_of(found.labels)
    assert images.text is labels.text
    assert images.ends is labels.ends


Change = Callable[[Path], object]


def add(name: str) -> Change:
    return lambda root: (root / name).write_bytes(b"")


def remove(name: str) -> Change:
    return lambda root: (root / name).unlink()


def append(name: str, text: str = "\n") -> Change:
    def change(root: Path) -> None:
        path = root / name
        path.write_text(path.read_text() + text)

    return change


def folder(name: str) -> Change:
    return lambda root: (root / name).mkdir()


CHANGES: dict[str, tuple[str, Change, str]] = {
    "image added": ("voc2012", add("JPEGImages/x.jpg"), "JPEGImages"),
    "label added": ("voc2012", add("SegmentationClass/x.png"), "SegmentationClass"),
    "image removed": ("voc2012", remove("JPEGImages/made_000001.jpg"), "JPEGImages"),
    "list edited": (
        "voc2012",
        append("ImageSets/Segmentation/train.txt"),
        "ImageSets/Segmentation/train.txt",
    ),
    "list gone": (
        "voc2012",
        remove("ImageSets/Segmentation/train.txt"),
        "ImageSets/Segmentation/train.txt",
    ),
    "new city": ("cityscapes", folder("leftImg8bit/train/zwickau"), "leftImg8bit/train"),
    "new city of labels": ("cityscapes", folder("gtFine/train/zwickau"), "gtFine/train"),
    "picture of a city": (
        "cityscapes",
        add("leftImg8bit/train/ulm/ulm_1_2_leftImg8bit.png"),
        "leftImg8bit/train/ulm",
    ),
    "picture of a city without any": (
        "cityscapes",
        add("leftImg8bit/train/bonn/bonn_1_2_leftImg8bit.png"),
        "leftImg8bit/train/bonn",
    ),
    "city gone": (
        "cityscapes",
        lambda root: shutil.rmtree(root / "leftImg8bit/train/ulm"),
        "leftImg8bit/train",
    ),
    "json edited": (
        "coco_panoptic",
        append("annotations/panoptic_train2017.json"),
        "annotations/panoptic_train2017.json",
    ),
    "class list edited": ("camvid", append("class_dict.csv"), "class_dict.csv"),
    "other picture": ("camvid", add("train/c.png"), "train"),
    "class file edited": ("folder", append("classes.json"), "classes.json"),
    "deep folder": ("folder", folder("pictures/farm/deep/er"), "pictures/farm/deep"),
    "deep picture": ("folder", add("pictures/farm/empty/p.png"), "pictures/farm/empty"),
    "deep label": ("folder", add("masks/farm/p_L.png"), "masks/farm"),
    "a list where there was none": ("folder", add("train.txt"), "train.txt"),
    "new scene": ("scenes", folder("s4"), ""),
    "scene filled": ("scenes", add("s3/left.png"), "s3"),
    "list of a source": (
        "sources",
        append("voc/ImageSets/Segmentation/train.txt"),
        "voc/ImageSets/Segmentation/train.txt",
    ),
    "city of a source": ("sources", folder("cs/leftImg8bit/train/zwickau"), "cs/leftImg8bit/train"),
}


@pytest.mark.parametrize("what", list(CHANGES))
def test_a_change_is_noticed(what: str, tmp_path: Path) -> None:
    kind, change, where = CHANGES[what]
    root = KINDS[kind][0](tmp_path / "data")
    config, path = config_of(kind, root), tmp_path / "index.npz"
    write_index(config, path)
    read(config, path)
    change(root)
    changed = root / where
    how = "changed since" if changed.exists() else "is no longer there"
    with pytest.raises(DatasetError) as raised:
        read(config, path)
    expected = f"{path}: older than {changed}, which {how}; run 'dali-voc index' again"
    assert str(raised.value) == expected


def test_a_list_of_the_same_time_but_another_length(tmp_path: Path) -> None:
    """What copies files with their times may bring back an old list with a time that fits."""
    root = make_voc(tmp_path / "data")
    config, path = config_of("voc2012", root), tmp_path / "index.npz"
    write_index(config, path)
    listed = root / "ImageSets/Segmentation/train.txt"
    before = listed.stat()
    append("ImageSets/Segmentation/train.txt")(root)
    os.utime(listed, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DatasetError, match=f"older than {listed}, which changed since"):
        read(config, path)


def test_made_anew_it_knows_the_new_file(tmp_path: Path) -> None:
    root = write_cityscapes(tmp_path / "data")
    config, path = config_of("cityscapes", root), tmp_path / "index.npz"
    write_index(config, path)
    write_pair(root, "train", "zwickau_000000_000019", {"labelIds": IDS})
    with pytest.raises(DatasetError, match="older than"):
        build_loader(with_index(config, path))
    write_index(config, path)
    found = read(config, path)
    assert len(found) == 4
    assert_alike(found, find_index(config.dataset, "train"))


def test_what_does_not_matter_is_let_pass(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "data")
    config, path = config_of("voc2012", root), tmp_path / "index.npz"
    write_index(config, path)
    (root / "notes.txt").write_text("a file beside the folders")
    append("ImageSets/Segmentation/val.txt")(root)
    assert len(read(config, path)) == 5
    other = config_of("voc2012", root, augment={"crop_size": [8, 8]}, loader={"seed": 3})
    assert len(read(other, path)) == 5


@pytest.mark.parametrize(
    ("keys", "split", "reason"),
    [
        ({}, "val", r"made of split 'train', expected 'val'; .*put \{split\} into"),
        (
            {"name": "voc2012_aug"},
            "train",
            "made of dataset.name 'voc2012', expected 'voc2012_aug'",
        ),
        ({"map": {"sofa": "chair"}}, "train", "made with another dataset.map than"),
        ({"classes": ["x"], "map": {"*": "x"}}, "train", "made with another dataset.classes than"),
        ({"root": "/elsewhere"}, "train", "made of dataset.root '.*', expected '/elsewhere'"),
    ],
)
def test_another_configuration(
    tmp_path: Path, keys: dict[str, Any], split: str, reason: str
) -> None:
    root = make_voc(tmp_path / "data")
    path = tmp_path / "index.npz"
    write_index(config_of("voc2012", root), path)
    with pytest.raises(DatasetError, match=f"^{path}: {reason}") as raised:
        read(config_of("voc2012", root, dataset=keys), path, split)
    assert len(str(raised.value).splitlines()) == 1


def test_another_source(tmp_path: Path) -> None:
    root = write_sources(tmp_path / "data")
    config, path = config_of("sources", root), tmp_path / "index.npz"
    write_index(config, path)
    for key, value in ("weight", 8.0), ("root", "other"), ("map", {"*": "car"}):
        sources = [SOURCES[0], {**SOURCES[1], key: value}]
        other = config_of("sources", root, dataset={"sources": sources})
        with pytest.raises(DatasetError, match=r"made with another dataset\.sources than"):
            read(other, path)


def test_existence_is_that_of_the_writing(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "data")
    (root / "JPEGImages/made_000001.jpg").unlink()
    raising, path = config_of("voc2012", root), tmp_path / "index.npz"
    skipping = config_of("voc2012", root, loader={"on_error": "skip"})
    with pytest.raises(DatasetError, match=r"made_000001\.jpg: no such file"):
        write_index(raising, path)
    assert not path.exists()
    write_index(skipping, path)
    assert len(read(skipping, path, must_exist=False)) == 5
    with pytest.raises(DatasetError, match="made without a look whether every file is there"):
        build_loader(with_index(raising, path))
    with build_loader(with_index(skipping, path)) as loader:
        assert (
            loader.index.digest()
            == find_index(skipping.dataset, "train", must_exist=False).digest()
        )


def test_a_relative_root_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder counts, not what it is called; paths are what a fresh listing there would give."""
    write_sources(tmp_path / "data")
    path = tmp_path / "index.npz"
    monkeypatch.chdir(tmp_path)
    write_index(config_of("sources", Path("data")), path)
    (tmp_path / "elsewhere").mkdir()
    for folder_now, root in ("elsewhere", "../data"), ("data", "."), ("", str(tmp_path / "data")):
        monkeypatch.chdir(tmp_path / folder_now)
        config = config_of("sources", Path(root))
        found = read(config, path)
        fresh = find_index(config.dataset, "train")
        for i in range(len(fresh)):
            assert os.path.samefile(found.images[i], fresh.images[i])
            assert os.path.samefile(found.labels[i], fresh.labels[i])
        if root != ".":
            assert_alike(found, fresh)
    monkeypatch.chdir(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"made of dataset\.root '.*/data', expected '.*re/data"):
        read(config_of("sources", Path("data")), path)


def test_names_of_any_bytes(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "data")
    odd = os.fsdecode(b"od\xff d")
    for old, new in ("JPEGImages", ".jpg"), ("SegmentationClass", ".png"):
        (root / old / f"made_000001{new}").rename(root / old / f"{odd}{new}")
    listed = root / "ImageSets/Segmentation/train.txt"
    listed.write_bytes(listed.read_bytes().replace(b"made_000001", os.fsencode(odd)))
    config, path = config_of("voc2012", root), tmp_path / "index.npz"
    write_index(config, path)
    assert_alike(read(config, path), find_index(config.dataset, "train"))


def test_the_key_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDEX_HERE", str(tmp_path))
    monkeypatch.setenv("HOME", "/home/me")
    config = with_index(config_of("voc2012", Path("/data")), "$INDEX_HERE/i-{split}.npz")
    assert config.dataset.index_file("val") == tmp_path / "i-val.npz"
    config = with_index(config, "~/i.npz")
    assert config.dataset.index_file("val") == Path("/home/me/i.npz")
    assert config_of("voc2012", Path("/data")).dataset.index_file("val") is None


def test_no_place_in_a_folder_that_it_is_about(tmp_path: Path) -> None:
    root = write_scenes(tmp_path / "data")
    for path in root / "index.npz", root / "s1/index.npz":
        with pytest.raises(DatasetError, match="lies in a folder that it is an index of"):
            write_index(config_of("scenes", root), path)
        assert not path.exists()


def test_a_change_during_the_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dali_voc import indexing

    root = make_voc(tmp_path / "data")
    config, listing = config_of("voc2012", root), indexing.find_pairs

    def find_pairs(*args: Any, **keys: Any) -> PairIndex:
        found = listing(*args, **keys)
        (root / "JPEGImages/late.jpg").write_bytes(b"")
        return found

    monkeypatch.setattr(indexing, "find_pairs", find_pairs)
    with pytest.raises(DatasetError, match="JPEGImages: changed while it was listed"):
        write_index(config, tmp_path / "index.npz")
    assert not (tmp_path / "index.npz").exists()


def test_folders_from_the_future_are_no_change(tmp_path: Path) -> None:
    """Archives may hold any time."""
    root = make_voc(tmp_path / "data")
    os.utime(root / "JPEGImages", (4e9, 4e9))
    config, path = config_of("voc2012", root), tmp_path / "index.npz"
    write_index(config, path)
    assert len(read(config, path)) == 5
    os.utime(root / "JPEGImages", (1e9, 1e9))
    with pytest.raises(DatasetError, match="older than"):
        read(config, path)


def test_data_sets_with_an_index_of_their_own(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "data")
    pack_split(config_of("voc2012", root), tmp_path / "packs", split="train")
    for name in "packed", "webdataset":
        config = parse_config({"dataset": {"name": name, "root": str(tmp_path / "packs")}})
        for attempt in (
            lambda config=config: write_index(config, tmp_path / "i.npz"),
            lambda config=config: build_loader(with_index(config, tmp_path / "i.npz")),
        ):
            with pytest.raises(DatasetError, match=f"{name} keeps an index of its own"):
                attempt()
    source = {"name": "packed", "root": "packs"}
    tree = {"dataset": {"name": "sources", "root": str(tmp_path), "sources": [source]}}
    with pytest.raises(DatasetError, match="keeps its pairs as a RecordList"):
        write_index(parse_config(tree), tmp_path / "i.npz")
    assert not (tmp_path / "i.npz").exists()


# What is wrong with a file.


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    folder = tmp_path_factory.mktemp("sound")
    config = config_of("sources", write_sources(folder / "data"))
    write_index(config, folder / "index.npz")
    return config, folder / "index.npz"


@pytest.fixture(scope="module")
def panoptic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, Path]:
    folder = tmp_path_factory.mktemp("panoptic")
    config = config_of("coco_panoptic", make_panoptic(folder / "data"))
    write_index(config, folder / "index.npz")
    return config, folder / "index.npz"


def refused(config: Config, path: Path) -> str:
    with pytest.raises(DatasetError) as raised:
        read(config, path)
    text = str(raised.value)
    assert text.startswith(f"{path}: ")
    assert len(text.splitlines()) == 1
    return text


def arrays_in(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return {name: file[name] for name in file.files}


def write_arrays(path: Path, arrays: dict[str, Any]) -> Path:
    np.savez(path, **arrays)
    return path


def change_facts(arrays: dict[str, Any], /, **facts: Any) -> dict[str, Any]:
    values = {**json.loads(arrays["facts"].tobytes()), **facts}
    return {**arrays, "facts": np.frombuffer(json.dumps(values).encode(), np.uint8)}


def test_other_files(sound: tuple[Config, Path], tmp_path: Path) -> None:
    config, path = sound
    other = tmp_path / "other.npz"
    assert "no such file, expected the one that 'dali-voc index' writes" in refused(config, other)
    for content in b"", b"some text\n", b"\x93NUMPY", path.read_bytes()[:-100]:
        other.write_bytes(content)
        assert "not an .npz file, or cut off" in refused(config, other)
    for array in np.arange(3), np.array([{}], object):
        with other.open("wb") as file:
            np.save(file, array)
        assert "not an .npz file" in refused(config, other)
    for arrays in {"a": np.arange(3)}, {"facts": np.frombuffer(b"{}", np.uint8)}, {}:
        assert "another kind of file" in refused(config, write_arrays(other, arrays))
    assert "cannot be read (Is a directory)" in refused(config, tmp_path)


def test_pickles_are_not_opened(sound: tuple[Config, Path], tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    config, path = sound
    for name in arrays_in(path):
        arrays = {**arrays_in(path), name: np.array([Trap()], object)}
        assert "damaged index" in refused(config, write_arrays(tmp_path / "trap.npz", arrays))
    assert not (tmp_path / "sprung").exists()


def test_other_versions(
    sound: tuple[Config, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, path = sound
    for version in 1, 3:
        other = write_arrays(tmp_path / "o.npz", change_facts(arrays_in(path), version=version))
        assert f"found version {version} of an index" in refused(config, other)
    monkeypatch.setattr(_index_file, "__version__", "99.0")
    assert "by dali_voc '0.1.0', expected 2 by 99.0; run 'dali-voc index' again" in refused(
        config, path
    )


@pytest.mark.parametrize("of", ["sound", "panoptic"])
def test_arrays_that_do_not_fit(of: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Each array is left out, cut, lengthened, of another type or shape, or decreasing."""
    config, path = request.getfixturevalue(of)
    arrays, other = arrays_in(path), tmp_path / "other.npz"
    assert len(read(config, write_arrays(other, arrays))) > 0
    names = set(arrays) - {"facts"}
    expected = {"stems_0", "ends_0", "watched", "stamps"}
    assert expected < names
    assert names & {"weights", "source", "segment_ends"}
    for name in sorted(names):
        values = arrays[name]
        left_out = {key: value for key, value in arrays.items() if key != name}
        assert "damaged index" in refused(config, write_arrays(other, left_out)), name
        spoilt = {
            "cut": values[:-1],
            "longer": np.concatenate([values, values[-1:]]),
            "shape": values[None],
            "type": values.astype(np.float32),
        }
        if "ends" in name:
            spoilt["not from zero"] = np.concatenate([[1], values[1:]])
            spoilt["decreasing"] = np.concatenate([values[:1], values[1:-1][::-1], values[-1:]])
        if name in ("source", "segment_classes") or name.startswith("rows_"):
            spoilt["too large"] = np.where(values == values.max(), 1000, values).astype(
                values.dtype
            )
            spoilt["too small"] = (values - 1000).astype(values.dtype)
        if name == "weights":
            spoilt["negative"], spoilt["nan"] = -values * 1e-9, values * np.nan
        for what, array in spoilt.items():
            text = refused(config, write_arrays(other, {**arrays, name: array}))
            known = "damaged index" in text or (name == "watched" and "older than" in text)
            assert known, (name, what, text)
    extra = {**arrays, "more": np.arange(3)}
    assert "damaged index" in refused(config, write_arrays(other, extra))


@pytest.mark.parametrize("of", ["sound", "panoptic"])
def test_facts_that_do_not_fit(of: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    config, path = request.getfixturevalue(of)
    arrays, other = arrays_in(path), tmp_path / "other.npz"
    facts = json.loads(arrays["facts"].tobytes())
    for name, value in facts.items():
        less = json.dumps({k: v for k, v in facts.items() if k != name}).encode()
        write_arrays(other, {**arrays, "facts": np.frombuffer(less, np.uint8)})
        refused(config, other)
        for wrong in (None, 17, "x", [], {}, [value]):
            if wrong != value:
                refused(config, write_arrays(other, change_facts(arrays, **{name: wrong})))


@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damaged_bytes(
    sound: tuple[Config, Path], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever byte is changed, and wherever the file ends: an error, or the same index."""
    config, path = sound
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] ^= data.draw(st.integers(1, 255))
    other = path.with_name("damaged.npz")
    other.write_bytes(content)
    try:
        found = read(config, other)
    except DatasetError:
        assert refused(config, other)
    else:
        assert_alike(found, find_index(config.dataset, "train"))


# The command.


def test_command(tmp_path: Path) -> None:
    root = make_voc(tmp_path / "data")
    arguments = ("index", CONFIG, "--set", f"dataset.root={root}")
    done = dali_voc(*arguments, "-o", "i-{split}.npz", "--split", "val", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "2 pairs of 'val', 0.0 MB: i-val.npz\n"
    key = f"dataset.index={tmp_path}/i-{{split}}.npz"
    done = dali_voc(*arguments, "--set", key, "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"data", "i-val.npz", "i-train.npz"}
    config = with_index(config_of("voc2012", root), tmp_path / "i-{split}.npz")
    for split in "train", "val":
        with build_loader(config, split=split) as loader:
            fresh = find_index(config_of("voc2012", root).dataset, split)
            assert_alike(loader.index, fresh)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "dataset.index: found null and no --out, expected the file to write"),
        (["-o", "no/i.npz"], "no/i.npz: found no folder no, expected one to write into"),
        (["-o", "i.npz", "--split", "x"], "x.txt: no such file, expected the list"),
        (["-o", "i.npz", "--set", "dataset.root=nowhere"], "nowhere: no such folder"),
        (["-o", "i.npz", "--set", "dataset.name=packed"], "packed keeps an index of its own"),
    ],
)
def test_wrong_use_is_one_sentence(tmp_path: Path, arguments: list[str], message: str) -> None:
    root = make_voc(tmp_path / "data")
    done = dali_voc("index", CONFIG, "--set", f"dataset.root={root}", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("dali-voc: ")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [root]


def test_a_wrong_key() -> None:
    with pytest.raises(ConfigError, match=r"dataset\.index: found 3"):
        parse_config({"dataset": {"root": "/x", "index": 3}})


def test_only_another_split_is_told_of_names_with_a_split(
    sound: tuple[Config, Path], tmp_path: Path
) -> None:
    config, path = sound
    for fact, value, hint in ("split", "other", True), ("name", "other", False):
        other = write_arrays(tmp_path / "o.npz", change_facts(arrays_in(path), **{fact: value}))
        assert ("put {split} into the file's name" in refused(config, other)) == hint


@pytest.mark.parametrize("rows", [[-1, 0], [2, 0]])
def test_rows_of_no_file(tmp_path: Path, rows: list[int]) -> None:
    files = ChainList(
        [PathList(["a", "b"], prefix=f"{tmp_path}/", suffix=".png")], rows=np.array([1, 0])
    )
    index = PairIndex(images=files, labels=files, spec=VOC_SPEC)
    facts, arrays = arrays_of(index, tmp_path)
    assert len(index_from(facts, arrays, tmp_path)) == 2
    with pytest.raises(ValueError, match="'rows' is of no file"):
        index_from(facts, {**arrays, "rows_0": np.array(rows)}, tmp_path)
