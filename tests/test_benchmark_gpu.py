"""The GPU's benchmark: a dry run of everything; what fails, is continued, or is refused."""

from __future__ import annotations

import io
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

REPOSITORY = Path(__file__).parents[1]
sys.path.insert(0, str(REPOSITORY))

from benchmarks.cpu.alignment import check_batches, encoded_config  # noqa: E402
from benchmarks.cpu.encoded_voc import SIZES, write_encoded_voc  # noqa: E402
from benchmarks.gpu import __main__ as command  # noqa: E402
from benchmarks.gpu import goals, result_file, rounds, runner  # noqa: E402
from benchmarks.gpu.data import prepare  # noqa: E402
from benchmarks.gpu.peers import PEERS  # noqa: E402
from benchmarks.gpu.sections import SECTIONS, SectionError  # noqa: E402
from benchmarks.gpu.sections import kernels as kernels_section  # noqa: E402
from benchmarks.gpu.sections import tests as tests_section  # noqa: E402
from benchmarks.gpu.sections.agreement import Differences, Tolerance  # noqa: E402
from benchmarks.gpu.sections.sweeps import thread_counts  # noqa: E402
from benchmarks.gpu.settings import Settings  # noqa: E402
from dali_voc.benchmarking import Item  # noqa: E402

SMALL = (
    *("--dry-run", "--seconds", "0.05", "--rounds", "2", "--batch-sizes", "4"),
    *("--distinct", "6", "--epoch", "24", "--crop", "64", "96"),
)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A dry run of all sections: the folder, and what it printed."""
    folder = tmp_path_factory.mktemp("gpu")
    done = run(*SMALL, "--out", folder / "gpu.json", "--plot", folder / "gpu.png")
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.mark.slow
def test_a_dry_run_of_everything(whole: tuple[Path, str]) -> None:
    folder, printed = whole
    result = json.loads((folder / "gpu.json").read_text())
    assert result["dry_run"] is True
    assert result["device"] == "cpu"
    assert result["data"]["distinct_pairs"] == 6
    assert result["data"]["names_per_epoch"] == 24
    assert result["machine"]["versions"]["nvidia-dali-cuda120"] == "2.4.0"
    assert list(result["sections"]) == list(SECTIONS)
    assert {outcome["status"] for outcome in result["sections"].values()} == {"done"}
    assert {row["verdict"] for row in result["goals"]} == {"not measured"}
    assert "DRY RUN on a CPU" in printed
    assert printed.count("not measured") == len(goals.GOALS)
    with Image.open(folder / "gpu.png") as plot:
        assert np.asarray(plot).std() > 0
    # children and files of its own are gone
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.slow
def test_what_the_sections_found(whole: tuple[Path, str]) -> None:
    sections = json.loads((whole[0] / "gpu.json").read_text())["sections"]
    found = {name: outcome["result"] for name, outcome in sections.items()}
    assert found["tests"]["collected"] > 10
    for case in found["agreement"]["cases"].values():
        assert case["label_pixels_unequal"] == case["levels"]["largest"] == 0
        assert case["agrees"]
    rows = found["loader"]["batch_size"]["4"]
    assert rows["bound"]["of_bound"] == 1
    ours = next(row for name, row in rows.items() if name.startswith("float32"))
    assert ours["of_bound"] == pytest.approx(
        ours["pairs_per_second"] / rows["bound"]["pairs_per_second"]
    )
    assert ours["lowest"] <= ours["pairs_per_second"] <= ours["highest"]
    assert len(ours["rounds"]) == 2
    peers = found["peers"]
    checked = peers["pairs_checked_for_alignment"]
    assert {*checked, *peers["not_installed"]} == {*PEERS, "loader"}
    assert all(row == {"pairs": 2 * len(SIZES)} for row in checked.values())
    assert set(peers["batch_size"]["4"]) == set(checked)
    assert peers["batch_size"]["4"]["dataloader_float"]["is_dataloader"]
    step = found["training"]["fcn"]["seconds_per_step"]
    assert found["training"]["fcn"]["waiting_share_by_steps"] == pytest.approx(
        (step["loader"] - step["synthetic"]) / step["loader"]
    )
    assert 0 < found["training"]["fcn"]["waiting_share_by_host"] < 1
    best = found["sweeps"]["best"]
    for key in "threads", "prefetch":
        rates = {name: row["pairs_per_second"] for name, row in found["sweeps"][key].items()}
        assert str(best[key]) == max(rates, key=rates.__getitem__)
    assert found["cache"]["pairs"] == 24
    assert found["cache"]["batch_size"]["4"]["loader"]["pairs_per_second"] > 0
    copy = found["kernels"]["kernels"]["copy"]
    assert copy["gigabytes_per_second"] == pytest.approx(copy["bytes"] / copy["seconds"] / 1e9)


@pytest.mark.slow
def test_a_file_is_added_to(
    whole: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "gpu.json"
    before = json.loads((whole[0] / "gpu.json").read_text())
    del before["sections"]["bound"]
    out.write_text(json.dumps(before))
    only = (*SMALL, "--out", str(out), "--only", "bound", "kernels")
    assert command.main([*only, "--deadline", "1e-9"]) == 0
    late = json.loads(out.read_text())["sections"]
    assert late["bound"]["status"] == "left out"
    assert late["bound"]["reason"] == "not begun before 1e-09 s"
    assert late["kernels"] == before["sections"]["kernels"]

    new = {"status": "done", "result": {"new": 1}, "seconds": 0.5}
    monkeypatch.setattr(command, "run_apart", lambda *_, **__: new)
    assert command.main([*only]) == 0
    after = json.loads(out.read_text())["sections"]
    for name in SECTIONS:
        if name in ("bound", "kernels"):
            assert new.items() <= after[name].items()
        else:
            assert after[name] == before["sections"][name]


@pytest.mark.slow
def test_another_machines_file_is_refused(whole: tuple[Path, str], tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    result = json.loads((whole[0] / "gpu.json").read_text())
    result["machine"]["versions"]["torch"] = "0.1"
    text = json.dumps(result)
    out.write_text(text)
    arguments = [*SMALL, "--out", str(out), "--only", "kernels"]
    with pytest.raises(SystemExit, match=r"machine\.versions\.torch '0\.1' instead of"):
        command.main(arguments)
    assert out.read_text() == text
    out.write_text("[]")
    with pytest.raises(SystemExit, match="found no result of this benchmark"):
        command.main(arguments)


def test_a_dry_run_does_not_go_among_the_results() -> None:
    place = REPOSITORY / "benchmarks/results/gpu.json"
    with pytest.raises(result_file.ResultError, match="expected none by a dry run"):
        result_file.check_place(place, dry_run=True)
    result_file.check_place(place, dry_run=False)


@pytest.mark.slow
def test_the_command_line(tmp_path: Path) -> None:
    assert "--deadline" in run("--help").stdout
    done = run("--dry-run", "--out", tmp_path / "x.json", "--only", "sorting")
    assert done.returncode == 2
    assert "sorting" in done.stderr
    assert "kernels" in done.stderr
    if not torch.cuda.is_available():
        done = run("--out", tmp_path / "x.json")
        assert done.returncode == 1
        assert "finds no CUDA GPU" in done.stderr
    assert list(tmp_path.iterdir()) == []


def bad_section(name: str, settings: Settings, note: Callable[[Any], None]) -> dict[str, Any]:
    note({"so far": 1})
    if name == "dies":
        os._exit(7)
    if name == "hangs":
        time.sleep(60)
    if name == "leaves out":
        return {"left_out": "for a reason"}
    raise (ValueError("the first line\nthe second") if name == "raises" else SectionError("wrong"))


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("raises", 60.0, {"status": "failed", "error": "ValueError: the first line"}),
        ("objects", 60.0, {"status": "failed", "error": "wrong"}),
        ("dies", 60.0, {"status": "failed", "error": "its process died with code 7"}),
        ("leaves out", 60.0, {"status": "left out", "reason": "for a reason"}),
    ],
)
def test_what_becomes_of_a_bad_section(
    name: str, limit: float, expected: dict[str, str], tmp_path: Path
) -> None:
    noted: list[Mapping[str, Any]] = []
    outcome = runner.run_apart(
        name,
        Settings(device="cpu", root=str(tmp_path)),
        limit=limit,
        note=lambda outcome: noted.append(dict(outcome)),
        section=bad_section,
    )
    assert outcome["result"] == {"so far": 1}
    assert expected.items() <= outcome.items()
    assert noted[0]["status"] == "running"
    assert noted[0]["result"] == {"so far": 1}


def test_a_section_that_hangs_is_ended(tmp_path: Path) -> None:
    outcome = runner.run_apart(
        "hangs",
        Settings(device="cpu", root=str(tmp_path)),
        limit=0.1,  # over before its process has begun, or in its sleep
        note=lambda outcome: None,
        section=bad_section,
    )
    assert outcome["error"] == "it took longer than 0.1 s"


def test_a_failing_section_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def outcome_of(name: str, settings: Settings, **_: Any) -> runner.Outcome:
        assert settings.batch_size == 4  # the nearest to the usual, nothing being known
        bad = {"status": "failed", "error": "wrong", "result": {"half": 1}}
        return {**(bad if name == "bound" else {"status": "done", "result": {}}), "seconds": 0.1}

    monkeypatch.setattr(command, "run_apart", outcome_of)
    out = tmp_path / "gpu.json"
    code = command.main([*SMALL, "--out", str(out), "--only", "tests", "bound", "kernels"])
    assert code == 1
    sections = json.loads(out.read_text())["sections"]
    found = {name: outcome["status"] for name, outcome in sections.items()}
    assert found == {"tests": "done", "bound": "failed", "kernels": "done"}
    assert sections["bound"]["result"] == {"half": 1}
    assert sections["bound"]["error"] == "wrong"


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_aligned(name: str, tmp_path: Path) -> None:
    lacks = PEERS[name].missing()
    if lacks:
        pytest.skip(f"not installed: {', '.join(lacks)}")
    config = encoded_config(write_encoded_voc(tmp_path / "voc"))
    batches = PEERS[name].contestant(config).start()
    try:
        assert check_batches(name, batches, config) == 2 * len(SIZES)
    finally:
        batches.close()


def some_batches(
    log: list[str], name: str, *, fails_at: int = 10**9
) -> Generator[Item, None, None]:
    for i in range(10**9):
        if i == fails_at:
            raise RuntimeError("no more\nof it")
        log.append(name)
        time.sleep(1e-3)
        yield 3


def test_contestants_are_timed_in_turn_and_who_fails_drops_out() -> None:
    log: list[str] = []
    contestants = {
        "a": rounds.Contestant(title="A", start=lambda: some_batches(log, "a"), ahead=0),
        "b": rounds.Contestant(title="B", start=lambda: some_batches(log, "b", fails_at=2)),
        "c": rounds.Contestant(title="C", start=lambda: some_batches(log, "c"), ahead=0),
    }
    noted: list[int] = []
    found = rounds.time_rounds(
        contestants,
        rounds=3,
        seconds=0.02,
        note=lambda rows: noted.append(len(rows["a"]["rounds"])),
    )
    assert noted == [1, 2, 3]
    assert found["b"] == {"title": "B", "error": "RuntimeError: no more"}
    assert len(found["a"]["rounds"]) == len(found["c"]["rounds"]) == 3
    assert 0 < found["a"]["pairs_per_second"] <= 3000
    turns = [name for i, name in enumerate(log) if i == 0 or log[i - 1] != name]
    assert turns == ["a", "b", "c", "a", "c", "a", "c", "a", "c"]


def test_a_measurement_has_as_many_batches_as_are_asked_for() -> None:
    log: list[str] = []
    few = rounds.Contestant(title="A", start=lambda: some_batches(log, "a"), ahead=0, at_least=25)
    rounds.time_rounds({"a": few}, rounds=2, seconds=1e-9)
    assert len(log) == rounds._CHECKED + 1 + 2 * 25


def test_differences_of_batches() -> None:
    images, labels = torch.zeros(1, 3, 20, 20), torch.zeros(1, 20, 20, dtype=torch.int64)
    other, wrong = images.clone(), labels.clone()
    other[0, 1, 3, 4] = 0.1
    tolerance = Tolerance(mean=1.0, percentile_99_9=1.0, largest=3.0)

    def summary(*batches: torch.Tensor) -> dict[str, Any]:
        differences = Differences(std=(0.2, 0.2, 0.2))
        differences.add(*batches)
        return differences.summary(tolerance)

    assert summary(images, labels, images, labels)["agrees"]
    assert summary(images, labels, images, labels)["pairs"] == 1
    found = summary(images, labels, other, labels)
    assert not found["agrees"]
    assert found["levels"]["largest"] == pytest.approx(0.1 * 0.2 * 255)
    assert found["levels"]["mean"] == pytest.approx(0.1 * 0.2 * 255 / 1200)
    wrong[0, 0, 0] = 1
    found = summary(images, labels, images, wrong)
    assert (found["label_pixels_unequal"], found["agrees"]) == (1, False)
    other[0, 1, 3, 4] = math.nan
    assert not summary(images, labels, other, labels)["agrees"]
    with pytest.raises(SectionError, match=r"images are torch.float16 .* expected torch.float32"):
        summary(images.half(), labels, images, labels)


def test_outcomes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "test_made_up.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "@pytest.mark.skip\ndef test_skipped(): pass\n"
        "@pytest.fixture\ndef broken(): raise ValueError\n"
        "def test_broken(broken): pass\n"
    )
    report = tmp_path / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "."],
        cwd=tmp_path,
        check=False,
        capture_output=True,
    )
    assert tests_section.count_outcomes(report) == {
        **{"passed": 1, "failed": 1, "errors": 1, "skipped": 1},
        "names_of_failed": ["test_made_up::test_bad", "test_made_up::test_broken"],
    }


def test_a_file_of_tests_that_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # so that the first test is done in time on a busy machine, too
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    path = tmp_path / "test_made_up.py"
    path.write_text(
        "import os, pytest\n"
        "pytestmark = pytest.mark.gpu\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False, 'on purpose'\n"
    )
    found = tests_section._run_file(str(path), limit=60, dry_run=False)
    assert (found["passed"], found["failed"]) == (1, 1)
    assert re.fullmatch(r"pytest ended with code 1: =* 1 failed, 1 passed.*", found["error"])
    assert "on purpose" in found["output"]
    path.write_text(path.read_text().replace("assert False, 'on purpose'", "os.abort()"))
    found = tests_section._run_file(str(path), limit=60, dry_run=False)
    assert found["exit_code"] == -signal.SIGABRT
    assert "pytest ended with code -6" in found["error"]
    # what passed before is known by name
    assert re.search(r"test_good PASSED", found["output"])
    path.write_text(path.read_text().replace("os.abort()", "__import__('time').sleep(60)"))
    found = tests_section._run_file(str(path), limit=5, dry_run=False)
    assert found["error"] == "took longer than 5 s"
    assert re.search(r"test_good PASSED", found["output"])


def test_what_is_carried_again_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    """On a lent machine: DALI in two halves, and our wheel, perhaps a corrected one."""
    repository, kept = tmp_path / "repository", tmp_path / "kept"
    (repository / "dali_voc/ops").mkdir(parents=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:xz") as tar:
        tar.addfile(tarfile.TarInfo("nvidia.txt"))
    halves = archive.getvalue()[:50], archive.getvalue()[50:]

    def call(wheel: str | None = None, half: int | None = None) -> str:
        shutil.rmtree(repository / ".gpu", ignore_errors=True)
        if half is not None:
            part = repository / f".gpu/{half + 1}/site.tar.xz.part"
            part.parent.mkdir(parents=True)
            part.write_bytes(halves[half])
        if wheel is not None:
            (repository / ".gpu/own").mkdir(parents=True)
            with zipfile.ZipFile(repository / ".gpu/own/dali_voc-1.whl", "w") as file:
                file.writestr("dali_voc/ops/plugin.so", wheel)
                file.writestr("dali_voc/ops/_plugin.py", "not this one")
                file.writestr("dali_voc-1.dist-info/METADATA", wheel)
        script = REPOSITORY / "benchmarks/gpu/on_machine.sh"
        done = subprocess.run(
            ["bash", "-c", f". {script} && echo $PYTHONPATH"],
            cwd=repository,
            env={**os.environ, "CARRIED": str(kept), "PYTHONPATH": ""},
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    assert "kept: 1 own" in call("first", half=0)
    assert f"\n{repository}:{kept}/site\n" in call(half=1)
    plugin = repository / "dali_voc/ops/plugin.so"
    for wheel in None, "second", "third":
        call(wheel)
        assert plugin.read_text() == (wheel or "first")
        assert (kept / "site/dali_voc-1.dist-info/METADATA").read_text() == (wheel or "first")
        assert (kept / "site/nvidia.txt").exists()
    assert [path.name for path in plugin.parent.iterdir()] == ["plugin.so"]
    # what is carried once more is unpacked once, and a damaged half ends the line
    made = (kept / "site/nvidia.txt").stat().st_ino
    call("third", half=0)
    assert (kept / "site/nvidia.txt").stat().st_ino == made
    halves = halves[0], b"damaged"
    with pytest.raises(subprocess.CalledProcessError):
        call(half=1)


def time_or_die(name: str, device: str) -> dict[str, Any]:
    if name == "copy_rows":
        os._exit(3)
    if name == "crop_images":
        raise ValueError("an illegal address")
    return {"pid": os.getpid()}


def test_kernels_after_one_that_fails_get_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("color_to_index", "copy_rows", "crop_labels", "crop_images", "dali")
    monkeypatch.setattr(kernels_section, "OUR_KERNELS", dict.fromkeys(names))
    monkeypatch.setattr(kernels_section, "DALI_KERNELS", {})
    monkeypatch.setattr(kernels_section, "_time", time_or_die)
    noted: list[int] = []
    with pytest.raises(SectionError, match=r"copy_rows: .*; kernels crop_images: ValueError"):
        kernels_section.run(
            Settings(device="cuda", root=""),
            lambda found: noted.append(len(found["kernels"])),
        )
    assert noted == [1, 2, 3, 4, 5, 6]


def measured_sections() -> dict[str, Any]:
    def row(rate: float, **more: Any) -> dict[str, Any]:
        return {"pairs_per_second": rate, **more}

    return {
        "loader": {
            "batch_size": {
                "16": {"float32": row(9e3, of_bound=0.99), "float16": row(9e4, of_bound=1.0)},
                "64": {"float32 dali": row(2e4, of_bound=0.9), "bound": row(5e4, of_bound=1.0)},
                "128": {"float32": {"error": "failed"}},
            }
        },
        "peers": {
            "batch_size": {
                "16": {"loader": row(9e3), "dataloader_x": row(900.0, is_dataloader=True)},
                "64": {"loader": row(2e4), "dataloader_x": row(800.0, is_dataloader=True)},
            }
        },
        "training": {
            "deeplabv3_resnet50": {"waiting_share_by_steps": -0.1, "waiting_share_by_host": 0.01}
        },
        "kernels": {
            "kernels": {
                "copy": {"of_copy": 1.0, "ours": False},
                "x": {"of_copy": 0.7, "ours": True},
                "y": {"of_copy": 0.9, "ours": True},
            }
        },
    }


def test_goals() -> None:
    sections = measured_sections()
    result = {"dry_run": False, "sections": {n: {"result": r} for n, r in sections.items()}}
    assert [(row["figure"], row["verdict"]) for row in goals.judge(result)] == [
        (0.9, "not met"),
        (2e4, "met"),
        (2e4 / 900, "met"),
        (0.7, "not met"),
        (0.01, "not met"),
        (None, "not measured"),
    ]
    assert goals.best_batch_size(sections) == 64
    assert goals.best_batch_size({"loader": None}) is None
    dry = {**result, "dry_run": True}
    assert {row["verdict"] for row in goals.judge(dry)} == {"not measured"}
    assert {row["verdict"] for row in goals.judge({"dry_run": False, "sections": {}})} == {
        "not measured"
    }


def test_real_pairs_without_label_are_left_out(voc: Path, tmp_path: Path) -> None:
    source = tmp_path / "voc"
    for part in "JPEGImages", "SegmentationClass":
        (source / part).mkdir(parents=True)
    for i, image in enumerate(sorted((voc / "JPEGImages").iterdir())[:5]):
        (source / "JPEGImages" / image.name).symlink_to(image)
        if i % 2 == 0:
            label = voc / "SegmentationClass" / f"{image.stem}.png"
            (source / "SegmentationClass" / label.name).symlink_to(label)
    (tmp_path / "work").mkdir()
    root, data = prepare(source, distinct=1, epoch=7, folder=tmp_path / "work")
    assert (data["kind"], data["distinct_pairs"], data["names_per_epoch"]) == ("real pairs", 3, 7)
    for image in (Path(root) / "JPEGImages").iterdir():
        label = Path(root) / "SegmentationClass" / f"{image.stem}.png"
        assert image.resolve().stem == label.resolve().stem
    with pytest.raises(FileNotFoundError, match="expected VOC's layout"):
        prepare(tmp_path, distinct=1, epoch=7, folder=tmp_path / "work")


def test_thread_counts() -> None:
    assert thread_counts(16) == (4, 8, 12, 16, 24)
    assert thread_counts(1) == (1,)
