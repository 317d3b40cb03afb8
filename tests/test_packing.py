"""Packing: interrupted and taken up again, bad pairs, folders that are in the way, the command."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from run_code import run_code
from typer.testing import CliRunner
from warm_python import warm_python

from dali_voc import Config, DatasetError, SampleError, StateError, build_loader
from dali_voc.commands import app
from dali_voc.datasets import find_pairs
from dali_voc.datasets._pack_format import packed_spec
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.labels import LabelMap, LabelSpec
from dali_voc.packing import _pack as packing
from dali_voc.packing import pack_split
from dali_voc.synthetic import write_voc

MakeConfig = Callable[..., Config]
SMALL = 150_000  # a few pairs per shard


@pytest.fixture
def root(voc: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return shutil.copytree(voc, tmp_path / "voc")


def ids(root: Path) -> list[str]:
    return (root / "ImageSets/Segmentation/train.txt").read_text().split()


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class StopError(Exception):
    pass


def stop_at(sample: int) -> Callable[[int, int], None]:
    def progress(done: int, _total: int) -> None:
        if done == sample:
            raise StopError

    return progress


@pytest.mark.parametrize("places", [(3,), (9,), (13,), (6, 7, 12)])
def test_an_interrupted_run_goes_on(
    make_config: MakeConfig, tmp_path: Path, places: tuple[int, ...]
) -> None:
    config = make_config()
    pack_split(config, tmp_path / "whole", shard_size=SMALL)
    out = tmp_path / "packs"
    for place in places:
        with pytest.raises(StopError):
            pack_split(config, out, shard_size=SMALL, progress=stop_at(place))
        assert not (out / "train").exists()
        assert not list(out.glob("**/*.part")), "an unfinished shard is removed"
        kept = [path.stat().st_ino for path in sorted(out.glob(".train.packing/*.pack"))]
    with pytest.raises(DatasetError, match="is not packed to its end; run 'dali-voc pack' again"):
        find_pairs("packed", out, "train")
    seen: list[int] = []
    pack_split(config, out, shard_size=SMALL, progress=lambda done, _: seen.append(done))
    shards = sorted((out / "train").glob("*.pack"))
    assert [path.stat().st_ino for path in shards][: len(kept)] == kept
    assert kept, "no shard was finished before the interruption"
    assert seen[0] > 0
    assert content(out / "train") == content(tmp_path / "whole/train")


def test_killed(make_config: MakeConfig, voc: Path, tmp_path: Path) -> None:
    """SIGKILL in the midst of a shard."""
    code = f"""
import os, signal
from pathlib import Path
from dali_voc import parse_config
from dali_voc.packing import pack_split
config = parse_config({{"dataset": {{"root": {str(voc)!r}}}, "loader": {{"threads": 2}}}})
def progress(done, total):
    if done == 11:
        os.kill(os.getpid(), signal.SIGKILL)
pack_split(config, Path({str(tmp_path / "packs")!r}), shard_size={SMALL}, progress=progress)
"""
    done = run_code(code, warm=True)
    assert done.returncode == -signal.SIGKILL
    out = tmp_path / "packs"
    assert list(out.glob(".train.packing/.*.part")), "nothing was being written"
    assert list(out.glob(".train.packing/*.pack"))
    pack_split(make_config(), out, shard_size=SMALL)
    pack_split(make_config(), tmp_path / "whole", shard_size=SMALL)
    assert content(out / "train") == content(tmp_path / "whole/train")


def test_a_finished_shard_that_is_damaged_is_written_anew(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    pack_split(make_config(), tmp_path / "whole", shard_size=SMALL)
    with pytest.raises(StopError):
        pack_split(make_config(), tmp_path, shard_size=SMALL, progress=stop_at(12))
    os.truncate(tmp_path / ".train.packing/shard-00001.pack", 100)
    (tmp_path / ".train.packing/.part-00002.npz").write_bytes(b"rubbish")
    pack_split(make_config(), tmp_path, shard_size=SMALL)
    assert content(tmp_path / "train") == content(tmp_path / "whole/train")


def test_another_configuration_is_refused(make_config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(StopError):
        pack_split(make_config(), tmp_path, shard_size=SMALL, progress=stop_at(12))
    other = make_config(labels={"unknown": "ignore"})
    for folder in ".train.packing", "train":
        with pytest.raises(DatasetError) as error:
            pack_split(other, tmp_path, shard_size=SMALL)
        assert str(error.value) == (
            f"{tmp_path}/{folder}: was packed in another way (unknown 'error', not 'ignore'), "
            "expected none or the same; choose another folder, or remove it"
        )
        pack_split(make_config(), tmp_path, shard_size=SMALL)
    before = content(tmp_path / "train")
    assert pack_split(make_config(), tmp_path, shard_size=SMALL).records == 14
    assert content(tmp_path / "train") == before


def test_other_labels_of_the_same_names_are_refused(
    make_config: MakeConfig, voc: Path, tmp_path: Path
) -> None:
    shutil.copytree(voc, tmp_path / "voc")
    shutil.copytree(voc / "SegmentationClass", tmp_path / "voc/Other")

    def layout(labels: str) -> Config:
        classes = list(VOC_SPEC.classes)
        dataset = {"name": "voc_layout", "labels": labels, "classes": classes}
        return make_config(tmp_path / "voc", dataset=dataset)

    with pytest.raises(StopError):
        pack_split(layout("Other"), tmp_path, shard_size=SMALL, progress=stop_at(12))
    for folder in ".train.packing", "train":
        with pytest.raises(DatasetError, match=rf"{folder}: was packed in another way \(files "):
            pack_split(layout("SegmentationClass"), tmp_path, shard_size=SMALL)
        pack_split(layout("Other"), tmp_path, shard_size=SMALL)
    # of a version that did not say which files
    index = tmp_path / "train/index.json"
    facts = json.loads(index.read_text())
    del facts["made_from"]["files"]
    index.write_text(json.dumps(facts))
    assert pack_split(layout("Other"), tmp_path, shard_size=SMALL).records == 14


def test_two_at_once_are_refused(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / ".train.packing").mkdir()
    handle = os.open(tmp_path / ".train.packing", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(DatasetError, match="another process is packing this split"):
            pack_split(make_config(), tmp_path)
    finally:
        os.close(handle)
    pack_split(make_config(), tmp_path)


def break_some(root: Path) -> dict[str, str]:
    names = ids(root)
    image, label = root / f"JPEGImages/{names[4]}.jpg", root / f"SegmentationClass/{names[9]}.png"
    image.write_bytes(image.read_bytes()[:-100])
    label.write_bytes(label.read_bytes()[:300])
    small = root / f"SegmentationClass/{names[10]}.png"
    shutil.copy(root / f"SegmentationClass/{names[6]}.png", small)
    return {
        str(image): "truncated JPEG: the file ends before its end marker",
        str(label): "truncated PNG",
        str(small): "the label is 300x220 (width x height)",
    }


def test_a_bad_pair_ends_the_run(make_config: MakeConfig, root: Path, tmp_path: Path) -> None:
    bad = break_some(root)
    out = tmp_path / "packs"
    with pytest.raises(SampleError) as error:
        pack_split(make_config(root), out)
    assert error.value.path in bad
    assert list(out.iterdir()) == []


def test_bad_pairs_are_left_out(make_config: MakeConfig, root: Path, tmp_path: Path) -> None:
    bad = break_some(root)
    config = make_config(root, loader={"on_error": "skip"})
    index = pack_split(config, tmp_path / "packs", shard_size=SMALL)
    pairs = find_pairs("packed", tmp_path / "packs", "train")
    assert [pairs.name(i) for i in range(len(pairs))] == [
        name for i, name in enumerate(ids(root)) if i not in (4, 9, 10)
    ]
    assert len(index.left_out) == len(bad)
    for text, (path, reason) in zip(index.left_out, bad.items(), strict=True):
        assert text.startswith(f"{path}: {reason}")
    with pytest.raises(DatasetError, match="was packed without 3 bad pairs"):
        pack_split(make_config(root), tmp_path / "packs", shard_size=SMALL)
    # taken up just behind and just before a bad pair, each is named once
    for place in 8, 11:
        out = tmp_path / f"stopped at {place}"
        with pytest.raises(StopError):
            pack_split(config, out, shard_size=SMALL, progress=stop_at(place))
        assert pack_split(config, out, shard_size=SMALL).left_out == index.left_out
        assert content(out / "train") == content(tmp_path / "packs/train")


def test_all_bad(make_config: MakeConfig, root: Path, tmp_path: Path) -> None:
    for path in (root / "SegmentationClass").iterdir():
        path.write_bytes(b"rubbish")
    with pytest.raises(DatasetError, match="no pair of split 'train' is good"):
        pack_split(make_config(root, loader={"on_error": "skip"}), tmp_path / "packs")
    assert list((tmp_path / "packs").iterdir()) == []


def test_labels_are_mapped_when_they_are_packed(
    make_config: MakeConfig, root: Path, tmp_path: Path
) -> None:
    path = root / f"SegmentationClass/{ids(root)[2]}.png"
    size = Image.open(path).size
    Image.new("RGB", size, (1, 2, 3)).save(path)
    with pytest.raises(SampleError, match=r"colour \(1, 2, 3\) is not in the label table"):
        pack_split(make_config(root), tmp_path / "packs")
    pack_split(make_config(root, labels={"unknown": "ignore"}), tmp_path / "packs")
    label = find_pairs("packed", tmp_path / "packs", "train").labels.open(2).read()
    assert label == b"DVLR" + b"".join(n.to_bytes(4, "little") for n in size) + _one_band(*size)


def _one_band(width: int, height: int) -> bytes:
    """All void."""
    return bytes([height & 127 | 128, height >> 7, 255, width & 127 | 128, width >> 7])


def test_the_value_of_void() -> None:
    """What it is in the source, if that is free; so a loader's state goes from one to the other."""

    def spec(n: int, void: tuple[int, ...], **more: Any) -> LabelSpec:
        names = tuple(f"{i}" for i in range(n))
        return LabelSpec(classes=names, colors=((0, 0, 0),) * n, void_values=void, **more)

    of_files = {"maps": (LabelMap(),)}  # where files hold other values than the classes' own

    for given, expected, value in (
        (spec(21, (255,)), spec(21, (255,)), 255),
        (spec(3, (3, 9)), spec(3, (3, 9)), 3),
        (spec(3, (1, 200), **of_files), spec(3, (200,)), 200),
        (spec(3, ()), spec(3, (255,)), 255),
        (spec(255, (0,), **of_files), spec(255, (255,)), 255),
    ):
        assert packed_spec(given) == (expected, value)
    assert packed_spec(spec(256, ()))[1] == 65534
    with pytest.raises(DatasetError, match="found 65535 classes, expected at most 65534"):
        packed_spec(spec(65535, ()))


def test_a_full_disk_leaves_no_half_shard(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(packing.ShardWriter, "finish", full)
    with pytest.raises(OSError, match="No space left"):
        pack_split(make_config(), tmp_path / "packs", shard_size=SMALL)
    assert list((tmp_path / "packs").iterdir()) == []


@pytest.fixture
def config_file(voc: Path, tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(f"dataset: {{root: {voc}}}\nloader: {{device: cpu}}\n")
    return path


def test_command(config_file: Path, voc: Path, tmp_path: Path) -> None:
    run = CliRunner().invoke
    options = ["pack", str(config_file), "-o", str(tmp_path / "out"), "--split", "val"]
    done = run(app, [*options, "--shard-size", "100k", "--jobs", "1"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    shards = list((tmp_path / "out/val").glob("*.pack"))
    size = sum(path.stat().st_size for path in shards) / 1e6
    assert re.search(rf"7 pairs in {len(shards)} shards of {size:.1f} MB in all: ", done.output)
    made_from = json.loads((tmp_path / "out/val/index.json").read_text())["made_from"]
    assert (made_from["shard_size"], made_from["root"]) == (102_400, str(voc))
    quiet = run(app, [*options, "--shard-size", "100KiB", "--quiet"])
    assert (quiet.exit_code, quiet.output) == (0, "")


def test_command_with_restarts(config_file: Path, tmp_path: Path) -> None:
    options = ["pack", str(config_file), "-o", str(tmp_path / "out"), "--jpeg-restarts"]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    index = json.loads((tmp_path / "out/train/index.json").read_text())
    assert index["made_from"]["jpeg_restarts"] == 16


@pytest.mark.parametrize("size", ["0", "-1", "1X", "", "1.5G"])
def test_sizes_that_are_none(config_file: Path, tmp_path: Path, size: str) -> None:
    result = CliRunner().invoke(
        app, ["pack", str(config_file), "-o", str(tmp_path / "out"), f"--shard-size={size}"]
    )
    assert "expected bytes, such as 512M or 1G" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_errors_are_one_sentence(config_file: Path, root: Path, tmp_path: Path) -> None:
    path = root / f"JPEGImages/{ids(root)[3]}.jpg"
    path.write_bytes(path.read_bytes()[:-50])
    command = [*warm_python(), "-m", "dali_voc", "pack", config_file, "-o", tmp_path / "out"]
    done = subprocess.run(
        [*command, "--set", f"dataset.root={root}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"dali-voc: {path}: truncated JPEG: the file ends before its end marker\n"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_weights_and_states_go_along(voc: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    """Of data sets whose samples have weights, and whose labels have values of their own."""
    sources = [
        {"name": "voc2012", "root": str(voc), "weight": 3.0, "map": {"person": "cat"}},
        {"name": "voc2012", "root": str(voc), "split": "val", "weight": 1.0},
    ]

    def config(first: float) -> Config:
        changed = [{**sources[0], "weight": first}, sources[1]]
        return make_config(
            voc, dataset={"name": "sources", "sources": changed}, augment={"crop_size": [64, 80]}
        )

    pack_split(config(3.0), tmp_path / "packs")
    packed = make_config(
        tmp_path / "packs", dataset={"name": "packed"}, augment={"crop_size": [64, 80]}
    )
    with build_loader(config(3.0)) as loose, build_loader(packed) as loader:
        iterator = iter(loose)
        next(iterator)
        loader.load_state_dict(loose.state_dict())
        for ours, theirs in zip(iterator, loader, strict=True):
            assert all(map(torch.equal, ours, theirs))
    with pytest.raises(DatasetError, match=r"packed in another way \(weights '\w+', not '\w+'\)"):
        pack_split(config(2.0), tmp_path / "packs")
    # other classes than those that were packed are another run
    other = make_config(
        tmp_path / "packs",
        dataset={"name": "packed", "map": {"dog": "cat"}},
        augment={"crop_size": [64, 80]},
    )
    with (
        build_loader(other) as loader,
        build_loader(config(3.0)) as loose,
        pytest.raises(StateError, match="differs in what label values mean"),
    ):
        loader.load_state_dict(loose.state_dict())
    weights = tmp_path / "packs/train/weights.npy"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(DatasetError, match=r"weights\.npy: damaged, its checksum \(CRC\) is wrong"):
        build_loader(packed)


def test_splits_in_folders(root: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    lists = root / "ImageSets/Segmentation"
    (lists / "fold").mkdir()
    shutil.copy(lists / "val.txt", lists / "fold/one.txt")
    pack_split(make_config(root), tmp_path / "packs", split="fold/one")
    assert sorted(os.listdir(tmp_path / "packs/fold")) == ["one"]
    index = find_pairs("packed", tmp_path / "packs", "fold/one")
    assert len(index) == len((lists / "val.txt").read_text().split())
    for split in "../train", "", "a//b", "/train":
        with pytest.raises(DatasetError, match="expected a name that can be a folder"):
            pack_split(make_config(root), tmp_path / "packs", split=split)


def test_files_that_have_changed_since_are_noticed(
    make_config: MakeConfig, root: Path, tmp_path: Path
) -> None:
    """Of a finished pack, and of one that was interrupted."""
    config = make_config(root)
    pack_split(config, tmp_path / "whole", shard_size=SMALL)
    with pytest.raises(StopError):
        pack_split(config, tmp_path / "part", shard_size=SMALL, progress=stop_at(9))
    assert len(pack_split(config, tmp_path / "whole", shard_size=SMALL).shards) > 1
    label = root / f"SegmentationClass/{ids(root)[0]}.png"
    os.utime(label, ns=(0, label.stat().st_mtime_ns + 1))
    for out in "whole", "part":
        with pytest.raises(DatasetError, match="which have changed since"):
            pack_split(config, tmp_path / out, shard_size=SMALL)


def test_what_an_interrupted_end_left_is_tidied_up(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config()
    pack_split(config, tmp_path, shard_size=SMALL)
    expected = content(tmp_path / "train")
    for name in ".plan.json", ".part-00000.npz", ".part-00001.npz":
        (tmp_path / "train" / name).touch()
    pack_split(config, tmp_path, shard_size=SMALL)
    assert content(tmp_path / "train") == expected


@pytest.mark.parametrize("place", [10, 6, 8])
def test_what_is_known_of_a_shard_is_damaged(
    make_config: MakeConfig, tmp_path: Path, place: int
) -> None:
    """A bit of the archive's directory: the method, the version, encryption."""
    config = make_config()
    pack_split(config, tmp_path / "whole", shard_size=SMALL)
    with pytest.raises(StopError):
        pack_split(config, tmp_path / "packs", shard_size=SMALL, progress=stop_at(13))
    known = tmp_path / "packs/.train.packing/.part-00000.npz"
    damaged = bytearray(known.read_bytes())
    damaged[damaged.find(b"PK\x01\x02") + place] ^= 0x21
    known.write_bytes(damaged)
    pack_split(config, tmp_path / "packs", shard_size=SMALL)
    assert content(tmp_path / "packs/train") == content(tmp_path / "whole/train")


def test_nothing_is_left_of_a_run_that_was_killed(make_config: MakeConfig, tmp_path: Path) -> None:
    folder = tmp_path / ".train.packing"
    folder.mkdir()
    for name in ".0123456789abcdef.part", ".shard-00007.pack.part":  # half-written files
        (folder / name).write_bytes(b"rubbish")
    pack_split(make_config(), tmp_path)
    assert not [path.name for path in (tmp_path / "train").iterdir() if path.name[0] == "."]


def test_a_disk_that_is_full_at_the_end_of_a_shard(
    make_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("dali_voc.packing._shards.write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        pack_split(make_config(), tmp_path / "packs")
    assert list((tmp_path / "packs").iterdir()) == []


def test_a_root_that_is_not_utf_8(make_config: MakeConfig, tmp_path: Path) -> None:
    root = write_voc(tmp_path / os.fsdecode(b"caf\xe9"), train=2, val=1)
    assert pack_split(make_config(root), tmp_path / "packs").made_from.root.count("?") == 1
