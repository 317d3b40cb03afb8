"""Files of strangers that mean harm: an error of ours, soon, and nothing else."""

from __future__ import annotations

import json
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from run_code import run_code
from tar_writer import write_tar

from dali_voc import Config, ConfigError, DatasetError, DownloadError, load_config
from dali_voc.datasets import find_pairs
from dali_voc.datasets._pack_format import INDEX, NAMES, RECORDS
from dali_voc.datasets._panoptic_json import read_panoptic
from dali_voc.datasets._tar_scan import scan_shard
from dali_voc.downloading._archive import unpack
from dali_voc.packing import pack_split

PAIR = [("a.jpg", b"image"), ("a.png", b"label")]
END = bytes(1024)


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def pax(record: bytes) -> bytes:
    return header("p", len(record), tarfile.XHDTYPE) + record.ljust(512, b"\0")


TARS = {
    "a size below zero": header("q.txt", 0) + header("x.jpg", -512),
    "that in a record": header("q.txt", 0) + pax(b"14 size=-1536\n") + header("x.txt", 0),
    "a long name of 2^40 bytes": header("p", 2**40, tarfile.GNUTYPE_LONGNAME),
    "a record of 2^40 bytes": header("p", 2**40, tarfile.XHDTYPE),
    "3,000 long names of one member": 3000
    * (header("p", 1, tarfile.GNUTYPE_LONGNAME) + bytes(512)),
    "a record that is no number": pax(b"99999999999999999999 size=1\n") + header("x.txt", 0),
}


@pytest.mark.parametrize("content", TARS.values(), ids=list(TARS))
def test_tars(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.tar"
    path.write_bytes(content + END)
    with pytest.raises(DatasetError, match=r"train\.tar: "):
        scan_shard(path)
    with pytest.raises(DownloadError, match=r"train\.tar: "):
        unpack(path, tmp_path, progress=lambda _: None)


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    victim = tmp_path / "authorized_keys"
    victim.write_text("mine")
    (tmp_path / "shards").mkdir()
    write_tar(tmp_path / "shards/train.tar", PAIR)
    index = tmp_path / "shards/.train.tar.dali_voc.npz"
    index.symlink_to(victim)
    assert len(find_pairs("webdataset", tmp_path / "shards", "train")) == 1
    assert victim.read_text() == "mine"
    assert not index.is_symlink()


LIES: dict[str, Callable[[dict[str, np.ndarray]], object]] = {
    "offset": lambda arrays: arrays["offset"].fill(2**40),
    "before the beginning": lambda arrays: arrays["offset"].fill(-1),
    "size": lambda arrays: arrays["size"].fill(2**62),
    "suffix": lambda arrays: arrays["suffix"].fill(9),
    "ends": lambda arrays: arrays["ends"].fill(2**40),
    "shape": lambda arrays: arrays.update(size=arrays["size"][:, :1]),
    "type": lambda arrays: arrays.update(text=arrays["text"].astype(np.float32)),
    "none": lambda arrays: arrays.update(ends=arrays["ends"][:0]),
}


@pytest.mark.parametrize("lie", [*LIES, "compressed"])
def test_an_index_beside_a_shard_that_lies_is_made_again(tmp_path: Path, lie: str) -> None:
    write_tar(tmp_path / "train.tar", [*PAIR, ("b.jpg", b"more"), ("b.png", b"still more")])

    def contents() -> list[bytes]:
        found = find_pairs("webdataset", tmp_path, "train")
        return [files.open(i).read() for files in (found.images, found.labels) for i in range(2)]

    expected = contents()
    assert expected == [b"image", b"more", b"label", b"still more"]
    path = tmp_path / ".train.tar.dali_voc.npz"
    with np.load(path) as file:
        arrays = dict(file)
    if lie == "compressed":
        np.savez_compressed(path, **arrays)
    else:
        LIES[lie](arrays)
        np.savez(path, **arrays)
    written = path.read_bytes()
    assert contents() == expected
    assert path.read_bytes() != written


@pytest.mark.parametrize(
    "text",
    [
        '{"annotations":' + "[" * 200_000,
        '{"categories":' * 200_000,
        '{"x":"' + "]" * 200_000 + '","annotations":' + "[" * 200_000,
        '{"x":"\\"' + "]" * 2_200_000 + '\\\\","annotations":' + "[" * 200_000,
    ],
    ids=["lists", "objects", "behind a text", "behind an escape"],
)
def test_json_that_is_nested_deeply(tmp_path: Path, text: str) -> None:
    path = tmp_path / "panoptic.json"
    path.write_text(text)
    with pytest.raises(DatasetError, match=r"panoptic\.json: nested more than 1000 levels deep"):
        read_panoptic(path)


def test_brackets_in_texts_are_none(tmp_path: Path) -> None:
    path = tmp_path / "panoptic.json"
    name = "a\\" + "[" * 3000 + '"'
    categories = [{"id": 1, "name": name, "color": [1, 2, 3]}]
    segments = [{"id": 7, "category_id": 1}]
    entries = [{"file_name": f"{i}[.png", "segments_info": segments} for i in range(3000)]
    path.write_text(json.dumps({"categories": categories, "annotations": entries}))
    found = read_panoptic(path)
    assert (found.categories[0].name, len(found.stems)) == (name, 3000)


def test_a_number_of_a_category_beyond_64_bits(tmp_path: Path) -> None:
    path = tmp_path / "panoptic.json"
    category = {"id": str(2**63), "name": "a", "color": [1, 2, 3]}
    path.write_text(json.dumps({"categories": [category], "annotations": []}))
    with pytest.raises(DatasetError, match="entry 0 of 'categories' is not of the panoptic format"):
        read_panoptic(path)


@pytest.fixture
def pack(make_config: Callable[..., Config], tmp_path: Path) -> Path:
    pack_split(make_config(), tmp_path, split="val", shard_size=150_000)
    return tmp_path / "val"


def rewrite(pack: Path, name: str, data: bytes) -> None:
    """Change a file of a pack, and its checksum likewise."""
    (pack / name).write_bytes(data)
    index = json.loads((pack / INDEX).read_text())
    index["records_crc" if name == RECORDS else "names_crc"] = zlib.crc32(data)
    (pack / INDEX).write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("shard", 99), ("offset", 2**40), ("offset", 2**63), ("length", 2**32 - 1)],
        *[("name_end", 2**40), ("name_end", 0)],
    ],
)
def test_records_of_a_pack_that_lie(pack: Path, field: str, value: int) -> None:
    table = np.load(pack / RECORDS)
    table[field][-1] = value
    np.save(pack / "changed.npy", table)
    rewrite(pack, RECORDS, (pack / "changed.npy").read_bytes())
    with pytest.raises(DatasetError, match=r"records\.npy: damaged index \(records that are in no"):
        find_pairs("packed", pack.parent, "val")


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY\x01\x00\xff\xff{", b"\x80\x04N."])
def test_arrays_of_a_pack_that_are_none(pack: Path, data: bytes) -> None:
    rewrite(pack, RECORDS, data)
    with pytest.raises(DatasetError, match=r"records\.npy: damaged index"):
        find_pairs("packed", pack.parent, "val")


def test_names_of_a_pack_that_are_gone(pack: Path) -> None:
    rewrite(pack, NAMES, b"")
    with pytest.raises(DatasetError, match=r"records\.npy: damaged index"):
        find_pairs("packed", pack.parent, "val")


def test_an_index_that_is_cut_while_the_loader_runs(pack: Path) -> None:
    """Were it mapped into memory, that would end the process."""
    code = f"""
import os
from dali_voc import build_loader, parse_config
config = parse_config({{
    "dataset": {{"name": "packed", "root": {str(pack.parent)!r}}},
    "loader": {{"device": "cpu", "batch_size": 2}},
}})
with build_loader(config, split="val") as loader:
    for name in {RECORDS!r}, {NAMES!r}:
        os.truncate(os.path.join({str(pack)!r}, name), 0)
    print(sum(len(images) for images, _ in loader) == len(loader.index))
"""
    done = run_code(code, warm=True)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "bomb"])
def test_aliases_of_yaml_that_blow_up(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    if text == "bomb":
        lines = [f"k{i}: &k{i} [{', '.join([f'*k{i - 1}'] * 9)}]" for i in range(1, 12)]
        text = "\n".join(["k0: &k0 [x]", *lines])
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"c\.yaml: more than 1,000,000 values, with its aliases"):
        load_config(path)
    path.write_text("dataset: {root: /x}\naugment: {crop_size: &s [64, 96], stride: *s}\n")
    assert load_config(path).augment.stride == (64, 96)


def test_long_values_are_not_written_out(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("secret " * 1000)
    with pytest.raises(ConfigError, match="expected sections such as 'dataset:'") as error:
        load_config(path)
    assert len(str(error.value)) < 400
