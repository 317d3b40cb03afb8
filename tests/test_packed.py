"""Packed splits: the same batches as from loose files, to the bit; and packs that are damaged."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pickled import assert_pickles
from PIL import Image
from tar_writer import write_shards

from dali_voc import Config, DatasetError, SampleError, build_loader
from dali_voc.counting import count_classes
from dali_voc.datasets import find_pairs
from dali_voc.packing import pack_split
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
Batches = list[torch.Tensor]


def batches(config: Config, split: str = "train", epochs: int = 2) -> Batches:
    with build_loader(config, split=split) as loader:
        return [tensor.clone() for _ in range(epochs) for batch in loader for tensor in batch[:2]]


def of_pack(make_config: MakeConfig, root: Path, **sections: dict[str, Any]) -> Config:
    return make_config(**{**sections, "dataset": {"name": "packed", "root": str(root)}})


@pytest.fixture
def packs(make_config: MakeConfig, tmp_path: Path) -> Path:
    """Both splits, in shards of few pairs."""
    for split in "train", "val":
        pack_split(make_config(), tmp_path / "packs", split=split, shard_size=150_000)
    return tmp_path / "packs"


SECTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "plain": {},
    "larger than some": {"augment": {"small": "drop"}},
    "everything": {
        "augment": {
            **{"crop_size": [200, 240], "scale": [0.5, 2.0], "category_max_ratio": 0.75},
            **{"class_crop": 0.5, "rotate": 10.0, "brightness": 30.0, "noise": 0.5, "erase": 0.5},
            **{"cutmix": 0.3, "vertical_flip": 0.5, "jpeg": 0.3, "hue": 20.0},
        },
        "loader": {"batch_size": 3, "seed": 7},
    },
    "another ignore index": {"labels": {"ignore_index": 200, "dtype": "uint8"}},
    "bytes, one-hot": {"labels": {"one_hot": True}, "normalize": {"dtype": "uint8"}},
    "whole pictures": {"augment": {"validation": "full"}},
}


@pytest.mark.parametrize("kind", SECTIONS)
@pytest.mark.parametrize("split", ["train", "val"])
def test_same_batches_as_from_loose_files(
    make_config: MakeConfig, packs: Path, split: str, kind: str
) -> None:
    expected = batches(make_config(**SECTIONS[kind]), split)
    found = batches(of_pack(make_config, packs, **SECTIONS[kind]), split)
    assert len(found) == len(expected) > 0
    assert all(map(torch.equal, found, expected))


@pytest.mark.parametrize("world_size", [2, 3])
def test_many_ranks(make_config: MakeConfig, packs: Path, world_size: int) -> None:
    for rank in range(world_size):
        loader = {"rank": rank, "world_size": world_size, "batch_size": 2}
        expected = batches(make_config(loader=loader))
        found = batches(of_pack(make_config, packs, loader=loader))
        assert len(found) == len(expected) > 0
        assert all(map(torch.equal, found, expected))


def test_a_copy_in_another_process(make_config: MakeConfig, packs: Path) -> None:
    with build_loader(of_pack(make_config, packs)) as loader:
        assert_pickles(loader)


def test_resume(make_config: MakeConfig, packs: Path) -> None:
    config = of_pack(make_config, packs, augment={"crop_size": [64, 64]})
    assert_resumes_exactly(lambda: build_loader(config))


def test_a_state_goes_from_loose_files_to_a_pack(make_config: MakeConfig, packs: Path) -> None:
    with (
        build_loader(make_config()) as loose,
        build_loader(of_pack(make_config, packs)) as packed,
    ):
        iterator = iter(loose)
        next(iterator)
        packed.load_state_dict(loose.state_dict())
        for ours, theirs in zip(packed, iterator, strict=True):
            assert all(map(torch.equal, ours, theirs))


def test_statistics_are_the_same(make_config: MakeConfig, packs: Path) -> None:
    loose, found = (count_classes(c) for c in (make_config(), of_pack(make_config, packs)))
    assert found.pixels == loose.pixels
    assert found.void_pixels == loose.void_pixels > 0
    assert found.sample_classes == loose.sample_classes
    assert found.samples == loose.samples


def test_what_is_in_a_pack(voc: Path, packs: Path) -> None:
    """Images as they were; the index has the labels' sizes, and names that errors use."""
    index, loose = (
        find_pairs(name, root, "val") for name, root in (("packed", packs), ("voc2012", voc))
    )
    shards = sorted((packs / "val").glob("*.pack"))
    assert len(shards) > 1
    assert index.spec == loose.spec
    assert index.digest() == loose.digest()
    for i in range(len(loose)):
        assert index.name(i) == loose.name(i)
        assert index.images.open(i).read() == loose.images.open(i).read()
        with Image.open(loose.labels[i]) as label:
            assert index.sizes is not None
            assert index.sizes[i].tolist() == [label.height, label.width]
    assert index.images[0] == f"{shards[0]}, image of record 0 ({loose.name(0)})"
    last = len(loose) - 1
    assert index.labels[last].startswith(f"{shards[-1]}, label of record ")
    assert index.labels[last].endswith(f" ({loose.name(last)})")
    assert index.select([3, 1]).digest() == loose.select([3, 1]).digest()


def test_packing_a_pack_and_tars_gives_the_same_shards(
    make_config: MakeConfig, voc: Path, packs: Path, tmp_path: Path
) -> None:
    write_shards(voc, tmp_path / "tars", "val")
    for name, root in ("packed", packs), ("webdataset", tmp_path / "tars"):
        config = make_config(dataset={"name": name, "root": str(root)})
        pack_split(config, tmp_path / name, split="val", shard_size=150_000)
        for shard in (packs / "val").glob("*.pack"):
            assert (tmp_path / name / "val" / shard.name).read_bytes() == shard.read_bytes()


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes], str]] = {
    "no JSON": ("index.json", lambda b: b[:-5], "not JSON, expected the index of a packed split"),
    "version": (
        "index.json",
        lambda b: b.replace(b'"version": 1', b'"version": 2'),
        "found version 2 of a packed split, expected 1",
    ),
    "classes": (
        "index.json",
        lambda b: b.replace(b'"void": 255', b'"void": 65535'),
        "damaged index (void: Input should be less than or equal to 65534)",
    ),
    "count": (
        "index.json",
        lambda b: b.replace(b'"records": 7', b'"records": 8'),
        "damaged index (its shards have other records)",
    ),
    "twice": (
        "index.json",
        lambda b: b.replace(b'"aeroplane"', b'"background"'),
        "damaged index (spec: classes: 'background' is there twice)",
    ),
    "records": ("records.npy", lambda b: b[:-1] + b"\x77", "damaged, its checksum (CRC) is wrong"),
    "names": ("names.bin", lambda b: b"x" + b[1:], "damaged, its checksum (CRC) is wrong"),
    "shard": ("shard-00001.pack", lambda b: b[:-1], "expected "),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_pack_is_refused(packs: Path, kind: str) -> None:
    name, damage, reason = DAMAGE[kind]
    path = packs / "val" / name
    before = path.read_bytes()
    path.write_bytes(damage(before))
    assert path.read_bytes() != before
    with pytest.raises(DatasetError) as error:
        find_pairs("packed", packs, "val")
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files(packs: Path) -> None:
    find = functools.partial(find_pairs, "packed")
    for root, split, reason in (
        (
            packs,
            "test",
            f"{packs}/test: no packed split, expected one that 'dali-voc pack' wrote; "
            "there are: train, val",
        ),
        (packs / "val", "val", f"{packs}/val: this is a packed split itself, expected the folder"),
    ):
        with pytest.raises(DatasetError) as error:
            find(root, split)
        assert str(error.value).startswith(reason)
    for name in "names.bin", "records.npy", "shard-00001.pack":
        (packs / "val" / name).unlink()
        with pytest.raises(DatasetError, match=rf"{name}: cannot be read \(No such file"):
            find(packs, "val")


def test_damaged_records_are_named(make_config: MakeConfig, packs: Path) -> None:
    """A flipped bit anywhere in an image or a label; the others are delivered."""
    index = find_pairs("packed", packs, "val")
    expected = {}
    for sample, files, what in (1, index.images, "image"), (5, index.labels, "label"):
        found = files.records(np.array([sample]))
        assert found is not None
        path = files.encoded(np.array([sample]))[0].tobytes().decode()
        with open(path, "r+b") as file:
            file.seek(int(found[0, 0] + found[0, 1] // 2))
            byte = file.read(1)
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([byte[0] ^ 4]))
        expected[files[sample]] = "damaged record: its checksum (CRC) is wrong"
        assert f", {what} of record " in files[sample]
    config = of_pack(make_config, packs, loader={"on_error": "skip"})
    with build_loader(config, split="val") as loader:
        labels = torch.cat([maps for _, maps in loader])
        assert {file.path: file.reason for file in loader.report().bad_files} == expected
    assert [i for i, label in enumerate(labels) if (label == 255).all()] == [1, 5]
    with (
        build_loader(of_pack(make_config, packs), split="val") as loader,
        pytest.raises(SampleError, match=r"shard-0000\d.pack, image of record 1 \(made_0*15\): da"),
    ):
        list(loader)


def test_a_shard_cut_short_while_the_loader_runs(make_config: MakeConfig, packs: Path) -> None:
    one = {"batch_size": 1, "prefetch": 1}  # so that little is read ahead
    with build_loader(of_pack(make_config, packs, loader=one), split="val") as loader:
        next(iter(loader))
        last = sorted((packs / "val").glob("*.pack"))[-1]
        os.truncate(last, 30)
        with pytest.raises(SampleError) as error:
            list(loader)
    assert error.value.path.startswith(f"{last}, image of record 0 ")
    assert "reaches past the file's end at 30" in error.value.reason


def test_index_file(packs: Path, voc: Path) -> None:
    values = json.loads((packs / "val/index.json").read_text())
    assert values["records"] == 7
    assert values["made_from"]["root"] == str(voc)
    assert values["made_from"]["split"] == "val"
    assert values["left_out"] == []


def test_some_pairs_of_a_pack(packs: Path) -> None:
    index = find_pairs("packed", packs, "train")
    some = index.select([0, 2])
    assert some.meaning() == index.meaning()
    assert index.origin_digest(packs)
    assert some.origin_digest(packs) == ""  # it is not known of some
