"""`cache`: batches are the same with it, files are not read again, and ranks share the memory."""

from __future__ import annotations

import copy
import gc
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import write_lossless
from PIL import Image

from dali_voc import Config, Loader, build_loader, parse_config
from dali_voc._shared_memory import SharedMemory
from dali_voc.errors import ConfigError, LoaderError, SampleError
from dali_voc.ops._plugin import load_plugin

MakeConfig = Callable[..., Config]
KEEP = ("encoded", "decoded")


@pytest.fixture
def root(voc: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(voc, tmp_path / "voc"))


def epochs(loader: Loader, *, count: int = 3) -> list[list[torch.Tensor]]:
    """All tensors of some epochs."""
    result = []
    for _ in range(count):
        result.append([])
        for batch in loader:
            result[-1] += [
                part.clone()
                for part in (batch if isinstance(batch, tuple) else vars(batch).values())
            ]
    return result


def assert_same(one: list[list[torch.Tensor]], other: list[list[torch.Tensor]]) -> None:
    assert len(one) == len(other)
    for these, those in zip(one, other, strict=True):
        assert len(these) == len(those) > 0
        assert all(torch.equal(a, b) for a, b in zip(these, those, strict=True))


def compare(expected: Config, config: Config, *, split: str = "train", count: int) -> None:
    """Demand that two configurations give the same batches."""
    with build_loader(expected, split=split) as loader:
        batches = epochs(loader, count=count)
    with build_loader(config, split=split) as loader:
        assert_same(epochs(loader, count=count), batches)


AUGMENTED: dict[str, Any] = {
    "scale": [0.5, 2.0],
    "aspect": 1.3,
    "category_max_ratio": 0.75,
    "class_crop": 0.3,
    "rotate": 10.0,
    "vertical_flip": 0.5,
    "brightness": 20.0,
    "cutmix": 0.3,
}


@pytest.mark.parametrize("keep", KEEP)
@pytest.mark.parametrize(
    ("split", "augment", "memory"),
    [
        ("train", {}, 1.0),
        ("train", AUGMENTED, 1.0),
        ("train", AUGMENTED, 2e-3),  # some samples fit
        ("train", {}, 1e-9),  # none
        ("val", {}, 1.0),
        ("val", {"validation": "full"}, 1.0),
        ("val", {"validation": "full"}, 2e-3),
        ("val", {"validation": "resize"}, 1.0),
        ("val", {"validation": "slide"}, 1.0),
    ],
)
def test_batches_are_the_same(
    make_config: MakeConfig, keep: str, split: str, augment: dict[str, Any], memory: float
) -> None:
    with build_loader(make_config(augment=augment), split=split) as plain:
        expected = epochs(plain)
    config = make_config(augment=augment, cache={"keep": keep, "memory": memory})
    with build_loader(config, split=split) as loader:
        assert_same(epochs(loader), expected)


@pytest.mark.parametrize("keep", KEEP)
def test_files_are_not_read_again(make_config: MakeConfig, root: Path, keep: str) -> None:
    with build_loader(make_config(root)) as plain:
        expected = epochs(plain)
    with build_loader(make_config(root, cache={"keep": keep})) as loader:
        first = epochs(loader, count=1)
        for folder in "JPEGImages", "SegmentationClass":
            shutil.rmtree(root / folder)
        assert_same([*first, *epochs(loader, count=2)], expected)


def test_what_does_not_fit_is_read_each_time(make_config: MakeConfig, root: Path) -> None:
    config = make_config(root, cache={"keep": "decoded", "memory": 2e-3})
    with build_loader(config) as loader:
        epochs(loader, count=1)
        shutil.rmtree(root / "JPEGImages")
        with pytest.raises(SampleError, match="no such file"):
            epochs(loader, count=1)


@pytest.mark.parametrize("keep", KEEP)
def test_all_kinds_of_image(tmp_path: Path, keep: str) -> None:
    """Also those that DALI decodes, which are not kept decoded."""
    root = write_lossless(tmp_path)
    names = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    kinds: list[dict[str, Any]] = [
        {"format": "JPEG", "progressive": True},
        {"format": "JPEG", "mode": "CMYK"},
        {"format": "PNG", "mode": "P"},
        {"format": "BMP"},
    ]
    for name, kind in zip(names, kinds, strict=True):
        path = root / f"JPEGImages/{name}.jpg"
        with Image.open(path) as image:
            image.convert(kind.pop("mode", "RGB")).save(path, **kind)
    tree: dict[str, Any] = {
        "dataset": {"root": str(root)},
        "augment": {"validation": "full"},
        "loader": {"device": "cpu", "batch_size": 4},
    }
    with build_loader(parse_config(tree), split="val") as plain:
        expected = epochs(plain)
    with build_loader(parse_config({**tree, "cache": keep}), split="val") as loader:
        assert_same(epochs(loader), expected)


@pytest.mark.parametrize("keep", KEEP)
@pytest.mark.parametrize("folder", ["JPEGImages", "SegmentationClass"])
def test_a_mended_file_is_read_again(
    make_config: MakeConfig, root: Path, keep: str, folder: str
) -> None:
    with build_loader(make_config(root), split="val") as plain:
        expected = epochs(plain, count=1)
    path = sorted((root / folder).iterdir())[-1]
    sound = path.read_bytes()
    path.write_bytes(sound[: len(sound) // 2])
    with build_loader(make_config(root, cache={"keep": keep}), split="val") as loader:
        batches = iter(loader)
        found: list[torch.Tensor] = []

        def go_on() -> None:
            for batch in batches:
                found.extend(part.clone() for part in batch)

        with pytest.raises(SampleError, match=path.name):
            go_on()
        path.write_bytes(sound)
        go_on()
    assert_same([found], expected)


@pytest.mark.parametrize("keep", KEEP)
def test_bad_files_are_skipped(make_config: MakeConfig, root: Path, keep: str) -> None:
    path = sorted((root / "JPEGImages").iterdir())[0]
    path.write_bytes(b"no picture")
    skip = {"on_error": "skip"}
    with build_loader(make_config(root, loader=skip)) as plain:
        expected = epochs(plain)
    with build_loader(make_config(root, loader=skip, cache={"keep": keep})) as loader:
        assert_same(epochs(loader), expected)
        assert loader.report().samples == 3


def test_loaders_of_other_data_or_meaning_share_nothing(
    make_config: MakeConfig, root: Path, voc: Path
) -> None:
    cache = {"keep": "decoded"}
    configs = [
        make_config(root, cache=cache),
        make_config(voc, cache=cache),
        make_config(root, cache=cache, labels={"ignore_index": 21}),
    ]
    loaders = [
        build_loader(config, split=split) for config in configs for split in ("train", "val")
    ]
    assert len({os.fstat(loader._cache.handle).st_ino for loader in loaders if loader._cache}) == 6
    for loader in loaders:
        loader.close()


def same_names(root: Path, *folders: str) -> Path:
    """Pairs 0 to 3 in several folders, whose picture and label are of the folder's number."""
    for k, folder in enumerate(folders):
        for part in "images", "labels":
            (root / folder / part).mkdir(parents=True)
        for i in range(4):
            picture = np.full((40, 50, 3), 50 * k + i, np.uint8)
            Image.fromarray(picture).save(root / folder / f"images/{i}.png")
            Image.fromarray(picture[..., 0] // 50).save(root / folder / f"labels/{i}.png")
    return root


@pytest.mark.parametrize("keep", KEEP)
def test_pairs_of_the_same_names_are_told_apart(tmp_path: Path, keep: str) -> None:
    """Two splits, and two folders of labels, whose files have the same names."""
    root = same_names(tmp_path, "train", "val")

    def build(split: str, labels: str) -> Loader:
        dataset = {"name": "folder", "root": str(root), "classes": ["a", "b"]}
        patterns = {"images": "{split}/images/*.png", "masks": f"{labels}/labels/*.png"}
        loader = {"batch_size": 4, "device": "cpu", "threads": 1}
        tree = {
            "dataset": {**dataset, **patterns},
            "augment": {"crop_size": [32, 32]},
            "normalize": {"dtype": "uint8"},
            "cache": keep,
            "loader": loader,
        }
        return build_loader(parse_config(tree), split=split, training=True)

    kinds = [("train", "{split}"), ("val", "{split}"), ("train", "val")]
    loaders = [build(*kind) for kind in kinds]
    for _ in range(3):
        for loader, (split, labels) in zip(loaders, kinds, strict=True):
            for images, classes in loader:
                assert (images // 50 == (split == "val")).all()
                assert (classes == (labels.replace("{split}", split) == "val")).all()
    for loader in loaders:
        loader.close()


RANK = """
import shutil, sys
from dali_voc import build_loader, parse_config
root, rank, keep = sys.argv[1:]
config = parse_config({
    "dataset": {"root": root},
    "cache": keep,
    "loader": {"batch_size": 4, "device": "cpu", "rank": int(rank), "world_size": 2},
})
with build_loader(config) as loader:
    print("ready", flush=True)
    for line in sys.stdin:
        print(sum(len(labels) for _, labels in loader), flush=True)
"""


@pytest.mark.parametrize("keep", KEEP)
def test_ranks_share_the_memory(root: Path, keep: str) -> None:
    """What one rank has read, another need not: together they read each file once."""
    ranks = []
    for rank in "0", "1":
        command = [sys.executable, "-c", RANK, str(root), rank, keep]
        ranks.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )

    def epoch(rank: subprocess.Popen[str]) -> int:
        assert rank.stdin is not None
        assert rank.stdout is not None
        rank.stdin.write("go\n")
        rank.stdin.flush()
        return int(rank.stdout.readline())

    try:
        for rank in ranks:
            assert rank.stdout is not None
            assert rank.stdout.readline() == "ready\n"
        first = [epoch(rank) for rank in ranks]
        assert sum(first) == 14
        shutil.rmtree(root / "JPEGImages")
        shutil.rmtree(root / "SegmentationClass")
        # another epoch deals the samples otherwise
        assert [epoch(rank) for rank in ranks] == first
        # the memory outlives the process that made it
        ranks[0].send_signal(signal.SIGKILL)
        ranks[0].wait()
        assert [epoch(ranks[1]) for _ in range(3)] == [first[1]] * 3
    finally:
        for rank in ranks:
            rank.kill()
            rank.communicate()


def test_memory_is_shared_by_name_and_size() -> None:
    one = SharedMemory("a test", size=4096)
    same = SharedMemory("a test", size=4096)
    others = [SharedMemory("another", size=4096), SharedMemory("a test", size=8192)]
    os.pwrite(one.handle, b"here", 100)
    assert os.pread(same.handle, 4, 100) == b"here"
    assert all(os.pread(other.handle, 4, 100) == bytes(4) for other in others)
    one.close()  # whoever asks next gets it from who has it
    assert os.pread(same.handle, 4, 100) == b"here"
    later = SharedMemory("a test", size=4096)
    assert os.pread(later.handle, 4, 100) == b"here"
    same.close()
    assert os.pread(later.handle, 4, 100) == b"here"
    later.close()  # with the last it is gone
    for _ in range(100):
        again = SharedMemory("a test", size=4096)
        if os.pread(again.handle, 4, 100) == bytes(4):
            break
        again.close()
    else:
        pytest.fail("the name is still taken")
    for memory in (again, *others):
        memory.close()
        memory.close()


HOLDER = """
import os, sys
from dali_voc._shared_memory import SharedMemory
memory = SharedMemory("of several", size=4096)
print(os.fstat(memory.handle).st_ino, flush=True)
sys.stdin.readline()
"""


def test_memory_outlives_the_process_that_made_it() -> None:
    """As long as any that has it lives; also where it is killed."""
    holders = []

    def start() -> str:
        holders.append(
            subprocess.Popen(
                [sys.executable, "-c", HOLDER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        assert holders[-1].stdout is not None
        return holders[-1].stdout.readline()

    try:
        first = start()
        assert first.strip().isdecimal()
        for end in signal.SIGKILL, signal.SIGTERM, signal.SIGKILL:
            assert start() == first
            holders[0].send_signal(end)
            holders.pop(0).communicate()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


WITHOUT_DESCRIPTORS = """
import os, resource, sys, time
from dali_voc._shared_memory import SharedMemory
memory = SharedMemory("of one without descriptors", size=4096)
number = os.fstat(memory.handle).st_ino
limits = resource.getrlimit(resource.RLIMIT_NOFILE)
lowest = os.dup(0)  # the next that would be given
os.close(lowest)
resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
print(number, flush=True)
sys.stdin.readline()
print(os.fstat(memory.handle).st_ino, flush=True)
resource.setrlimit(resource.RLIMIT_NOFILE, limits)
sys.stdin.readline()
"""


def test_a_process_without_descriptors_keeps_its_memory() -> None:
    """It cannot answer, and answers later; its own descriptor stays open all the time."""
    holder = subprocess.Popen(
        [sys.executable, "-c", WITHOUT_DESCRIPTORS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        number = int(holder.stdout.readline())
        in_vain = SharedMemory("of one without descriptors", size=4096)
        assert os.fstat(in_vain.handle).st_ino != number
        in_vain.close()
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert int(holder.stdout.readline()) == number
        same = SharedMemory("of one without descriptors", size=4096)
        assert os.fstat(same.handle).st_ino == number
        assert not os.get_inheritable(same.handle)
        same.close()
    finally:
        holder.kill()
        holder.communicate()


def test_a_forked_child_does_not_keep_the_name(caplog: pytest.LogCaptureFixture) -> None:
    """It has the socket, but no thread that would answer, and must not end its parent's."""
    one = SharedMemory("of a parent", size=4096)
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(theirs)
        one.close()
        os.read(ours, 1)
        os._exit(0)
    os.close(ours)
    try:
        os.pwrite(one.handle, b"here", 100)
        same = SharedMemory("of a parent", size=4096)
        assert os.pread(same.handle, 4, 100) == b"here"
        one.close()
        again = SharedMemory("of a parent", size=4096)
        assert "the cache is not shared" not in caplog.text
        for memory in (same, again):
            memory.close()
    finally:
        os.close(theirs)
        os.waitpid(child, 0)


def test_a_forked_child_gives_its_part_back() -> None:
    one = SharedMemory("of a parent and a child", size=4096)
    handle = one.handle
    child = os.fork()
    if child == 0:
        one.close()
        try:
            os.fstat(handle)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    os.pwrite(one.handle, b"here", 100)
    same = SharedMemory("of a parent and a child", size=4096)
    assert os.pread(same.handle, 4, 100) == b"here"
    for memory in (one, same):
        memory.close()


def test_memory_is_not_copied() -> None:
    memory = SharedMemory(None, size=4096)
    with pytest.raises(TypeError, match="shared memory cannot be copied"):
        copy.copy(memory)
    memory.close()


@pytest.mark.parametrize("keep", KEEP)
def test_files_that_changed_since_are_read(make_config: MakeConfig, root: Path, keep: str) -> None:
    """Though a loader that began before still keeps what was there."""
    config = make_config(root, cache={"keep": keep}, augment={"crop_size": [64, 64]})
    with build_loader(config, split="val") as old:
        before = epochs(old, count=1)
        for path in (root / "SegmentationClass").iterdir():
            with Image.open(path) as label:
                palette, size = label.getpalette(), label.size
            new = Image.new("P", size, 20)
            new.putpalette(palette or [])
            new.save(path)
        with build_loader(config, split="val") as loader:
            assert {int(v) for _, labels in loader for v in labels.unique()} <= {20, 255}
        assert_same(epochs(old, count=1), before)


def test_memory_that_cannot_be_mapped(make_config: MakeConfig, root: Path) -> None:
    config = make_config(root, cache={"keep": "encoded", "memory": 2.0**20})
    with (
        build_loader(config) as loader,
        pytest.raises(LoaderError, match=r"pipeline: the cache's memory cannot be mapped: Cannot"),
    ):
        next(iter(loader))


def test_nothing_is_left_behind(make_config: MakeConfig) -> None:
    def handles() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    load_plugin()
    config = make_config(cache={"keep": "decoded"})
    with build_loader(config) as loader:
        epochs(loader, count=1)
    before, threads = handles(), threading.active_count()
    for _ in range(5):
        with build_loader(config) as loader:
            epochs(loader, count=1)
    for thread in threading.enumerate():
        if thread.name == "dali_voc cache":  # it has been told to end, and may yet be about to
            thread.join(5)
    assert handles() <= before
    assert threading.active_count() <= threads


def test_a_sandbox_without_memfd_or_sockets(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    with monkeypatch.context() as context:
        context.setattr(socket, "socket", forbidden)
        memory = SharedMemory("alone", size=4096)
    assert os.pwrite(memory.handle, b"x", 0) == 1
    memory.close()
    assert "the cache is not shared" in caplog.text
    with monkeypatch.context() as context:
        context.setattr(os, "memfd_create", forbidden)
        with pytest.raises(LoaderError, match=r"memfd_create\): set cache.keep to none"):
            SharedMemory("none", size=4096)


def test_memory_that_there_is_not() -> None:
    with pytest.raises(LoaderError, match=r"the cache cannot have .* GiB"):
        SharedMemory("too large", size=2**70)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"keep": "all"}, "cache.keep: found 'all'"),
        ({"keep": "decoded", "memory": 0}, "cache.memory: found 0"),
        ("decode", "cache.keep: found 'decode'"),
    ],
)
def test_bad_sections(section: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"dataset": {"root": "x"}, "cache": section})


def test_an_override_may_add_to_the_short_form() -> None:
    overrides = ["cache=decoded", "cache.memory=0.5"]
    config = parse_config({"dataset": {"root": "x"}}, overrides=overrides[:1])
    assert (config.cache.keep, config.cache.memory) == ("decoded", 4.0)
    config = parse_config({"dataset": {"root": "x"}, "cache": "encoded"}, overrides=overrides[1:])
    assert (config.cache.keep, config.cache.memory) == ("encoded", 0.5)


def test_real_pictures(real_voc: Path) -> None:
    tree: dict[str, Any] = {
        "dataset": {"root": str(real_voc)},
        "loader": {"device": "cpu", "batch_size": 64},
    }
    with build_loader(parse_config(tree)) as plain:
        expected = epochs(plain, count=2)
    with build_loader(parse_config({**tree, "cache": "decoded"})) as loader:
        assert_same(epochs(loader, count=2), expected)


def test_holders_that_do_not_answer_are_waited_for_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Such as the ranks of a job that was stopped, or sits in a debugger."""
    monkeypatch.setattr("dali_voc._shared_memory._PATIENCE", 1.5)
    name = f"stopped {os.getpid()}"
    holders = [SharedMemory(name, size=4096)]
    secret = hashlib.sha256(f"{os.getuid()} 4096 {name}".encode()).hexdigest()[:32]
    deaf = []
    for place in range(1, 8):
        deaf.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        deaf[-1].bind(f"\0dali_voc-{secret}-{place}")
        deaf[-1].listen(8)
    holders[0].close()
    deaf.append(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
    for _ in range(100):
        try:
            deaf[-1].bind(f"\0dali_voc-{secret}-0")
            break
        except OSError:
            time.sleep(0.05)
    deaf[-1].listen(8)
    begin = time.monotonic()
    alone = SharedMemory(name, size=4096)
    assert time.monotonic() - begin < 1.5 + 2 * 1.0 + 1.0  # one more may be waited for
    assert "its holder does not answer" in caplog.text
    alone.close()
    for one in deaf:
        one.close()


def test_what_a_damaged_file_claimed_is_given_back(tmp_path: Path) -> None:
    """A picture of which the header is sound, and nothing else."""
    root = write_lossless(tmp_path / "voc")
    pictures = sorted((root / "JPEGImages").iterdir())
    Image.new("RGB", (500, 375)).save(pictures[0], "JPEG")
    pictures[0].write_bytes(pictures[0].read_bytes()[:700])
    config = parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [32, 32]},
            "cache": {"keep": "decoded", "memory": 0.05},
            "loader": {"device": "cpu", "batch_size": 1, "threads": 1, "prefetch": 1},
        }
    )
    with build_loader(config, samples=[0]) as loader:
        with pytest.raises(SampleError, match="truncated"):
            next(iter(loader))
        assert loader._cache is not None
        used = int.from_bytes(os.pread(loader._cache.handle, 8, 0), sys.byteorder)
        assert used < 500 * 375 * 3
