"""The CPU benchmark: peers do the same work, batches are checked, who is missing is said."""

from __future__ import annotations

import csv
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.cpu import alignment, encoded_voc, peers  # noqa: E402
from dali_voc import Config  # noqa: E402
from dali_voc.benchmarking import BatchCheck, Item, run_rounds  # noqa: E402
from dali_voc.benchmarking._rounds import _Worker  # noqa: E402
from dali_voc.errors import LoaderError  # noqa: E402

SAME_WORK = [name for name, peer in peers.PEERS.items() if peer.same_work]
CHECK = BatchCheck(batch_size=4, crop_size=(320, 480), num_classes=21, ignore_index=255)


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoded_voc.write_encoded_voc(tmp_path_factory.mktemp("encoded") / "voc")


@pytest.mark.slow
@pytest.mark.parametrize("name", SAME_WORK)
def test_a_peer_is_aligned_and_gives_each_sample_once(name: str, encoded: Path) -> None:
    lacks = peers.PEERS[name].missing()
    if lacks:
        pytest.skip(f"not installed: {', '.join(lacks)}")
    # a process of its own: some libraries do not like each other's threads
    code = (
        "import sys; from pathlib import Path; from benchmarks.cpu.alignment import *; "
        "print(check_alignment(sys.argv[1], Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name, encoded],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) == 2 * len(encoded_voc.SIZES)


def wrong_peer(change: Callable[[torch.Tensor, torch.Tensor], Item]) -> peers.Peer:
    class Wrong(peers.Peer):
        def __call__(self, config: Config, split: str) -> Generator[Item, None, None]:
            for item in super().__call__(config, split):
                assert not isinstance(item, int)
                yield change(*item)

    return Wrong(title="wrong", module="reference")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images, labels: (images, labels.flip(-1)), "do not belong to their label"),
        (lambda images, labels: (images, labels.roll(1, 1)), "do not belong to their label"),
        (lambda images, labels: (images, labels.flip(0)), "do not belong to their label"),
        (lambda images, labels: (images[:1].clone(), labels[:1].clone()), "expected each once"),
        (lambda images, labels: (images, labels.int()), "expected torch.int64"),
        (lambda images, labels: (images * float("nan"), labels), "not finite"),
    ],
)
def test_the_check_finds_what_is_wrong(
    change: Callable[[torch.Tensor, torch.Tensor], Item],
    message: str,
    encoded: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(peers.PEERS, "wrong", wrong_peer(change))
    with pytest.raises(LoaderError, match=message):
        alignment.check_alignment("wrong", encoded)


def test_values_of_batches_are_checked() -> None:
    images, labels = torch.zeros(2, 3, 320, 480), torch.zeros(2, 320, 480, dtype=torch.int64)
    CHECK.values((images, labels))
    CHECK.values(3)
    labels[1, 5, 7] = 21
    with pytest.raises(LoaderError, match="the value 21, expected 0 to 20 or 255"):
        CHECK.values((images, labels))
    CHECK.form((images, labels))
    with pytest.raises(LoaderError, match="contiguous ones on cpu"):
        CHECK.form((images.contiguous(memory_format=torch.channels_last), labels))
    with pytest.raises(LoaderError, match="5 pairs, expected 1 to 4"):
        CHECK.form(5)


def bad_batches(config: Config, split: str) -> Generator[Item, None, None]:
    while True:
        yield torch.zeros(1, 3, 5, 5), torch.zeros(1, 5, 5, dtype=torch.int64)


def test_a_bad_batch_stops_the_rounds(make_config: Callable[..., Config]) -> None:
    with pytest.raises(LoaderError, match=r"'bad': images are torch.float32 \[1, 3, 5, 5\]"):
        run_rounds(
            make_config(),
            split="train",
            names=("bad",),
            rounds=1,
            seconds=0.1,
            contenders={"bad": bad_batches},
            check=CHECK,
        )


def no_batches(_config: Config, _split: str) -> Generator[Item, None, None]:
    yield from ()


def is_blocked(process: str) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    return bool(int(status.split("SigBlk:")[1].split()[0], 16) >> (signal.SIGINT - 1) & 1)


def test_interrupts_are_the_parents(make_config: Callable[..., Config]) -> None:
    """From the first process on, whatever multiprocessing does on its first one."""
    resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]
    workers = []
    try:
        for _ in range(2):
            workers.append(_Worker("none", no_batches, make_config(), "train", None))
        assert [is_blocked(str(worker._process.pid)) for worker in workers] == [True, True]
    finally:
        for worker in workers:
            worker.stop()
    # what is local cannot be handed to another process
    with pytest.raises((pickle.PicklingError, AttributeError)):
        _Worker("local", lambda *_: iter(()), make_config(), "train", None)
    assert not is_blocked("self")


@pytest.mark.slow
def test_the_command_writes_figures_and_who_is_missing(voc: Path, tmp_path: Path) -> None:
    files = {kind: tmp_path / f"result.{kind}" for kind in ("out", "csv", "plot")}
    files["plot"] = tmp_path / "result.png"
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.cpu", "--root", voc, "--split", "train"),
            *("--only", "loader", "bound", "copy_bytes", "torchvision"),
            *("--rounds", "2", "--seconds", "0.2", "--batch-size", "4"),
            *(part for kind, path in files.items() for part in (f"--{kind}", path)),
        ],
        cwd=REPOSITORY,
        check=True,
        timeout=120,
        capture_output=True,
    )
    result = json.loads(files["out"].read_text())
    installed = peers.PEERS["torchvision"].missing() == ()
    assert ("torchvision" in result["not_installed"]) is not installed
    ours = result["loaders"]["loader"]
    assert ours["lowest"] <= ours["pairs_per_second"] <= ours["highest"]
    assert len(ours["rounds"]) == 2
    assert ours["pairs_checked_for_alignment"] == 2 * len(encoded_voc.SIZES)
    assert ours["cpu_ms_per_pair"] > 0
    assert ours["memory_mib"] > 50
    rows = {row["loader"]: row for row in csv.DictReader(files["csv"].open())}
    assert float(rows["bound"]["of_bound"]) == 1
    if not installed:
        assert rows["torchvision"]["versions"] == "not installed: torchvision"
    with Image.open(files["plot"]) as plot:
        assert np.asarray(plot).std() > 0


def test_usage_counts_children() -> None:
    from dali_voc.benchmarking._usage import group_cpu_seconds, group_pss_bytes

    code = r"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "x = bytearray(b'1' * 50_000_000)\nwhile 1: pass"])
time.sleep(1.5)
print(flush=True)
time.sleep(30)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert process.stdout
        process.stdout.readline()
        assert group_cpu_seconds(process.pid) > 0.1
        assert group_pss_bytes(process.pid) > 50_000_000
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def test_palette_png_of_every_filter(tmp_path: Path) -> None:
    pytest.importorskip("deflate")
    from benchmarks.cpu.peers._palette_png import _undo_filters

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (25, 17)).astype(np.uint8)
    rows = np.zeros((25, 18), np.uint8)
    for y in range(25):
        kind = y % 5
        rows[y, 0] = kind
        for x in range(17):
            a = int(pixels[y, x - 1]) if x else 0
            b = int(pixels[y - 1, x]) if y else 0
            c = int(pixels[y - 1, x - 1]) if x and y else 0
            p = a + b - c
            near = min(abs(p - a), abs(p - b), abs(p - c))
            paeth = a if abs(p - a) == near else b if abs(p - b) == near else c
            rows[y, x + 1] = (int(pixels[y, x]) - (0, a, b, (a + b) // 2, paeth)[kind]) % 256
    np.testing.assert_array_equal(_undo_filters(rows), pixels)
