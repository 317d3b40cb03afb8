"""Every command when something is wrong: one sentence, an exit code, no half-written result."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import dali_voc
from dali_voc import _files
from dali_voc.commands import main

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
# with the names of what they write
BY_CONFIG: dict[str, list[str]] = {
    "bench": ["--json", "made"],
    "index": ["-o", "made"],
    "pack": ["-o", "made"],
    "preview": ["-o", "made", "--count", "2"],
    "stats": ["--out", "made"],
    "verify": ["--json", "made"],
}
# does its work with real processes, which see nothing of what tests put in its place
IN_PROCESS = sorted({*BY_CONFIG} - {"bench"})

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, where commands run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Run a command; gives its exit code and the last line of what it said."""

    def with_arguments(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["dali-voc", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        code, said = left.value.code, capfd.readouterr().err
        if isinstance(code, str):  # what Python prints, and ends with 1
            code, said = 1, f"{said}{code}\n"
        assert "Traceback" not in said
        return code or 0, said.splitlines()[-1] if said else ""

    handler = signal.getsignal(signal.SIGTERM)
    yield with_arguments
    signal.signal(signal.SIGTERM, handler)


def on(voc: Path, *settings: str) -> list[str]:
    """Options that name the data, for a command on small crops."""
    more = "loader.device=cpu", "loader.batch_size=4", "augment.crop_size=[64, 64]", *settings
    return [part for text in (f"dataset.root={voc}", *more) for part in ("--set", text)]


@pytest.mark.parametrize("command", BY_CONFIG)
def test_what_is_not_there_or_not_known(command: str, run: Run, here: Path, voc: Path) -> None:
    options = BY_CONFIG[command]
    (here / "folder").mkdir()
    (here / "no.yaml").write_text("dataset: [")
    (here / "bytes.yaml").write_bytes(b"\xff\xfe\0")
    for arguments, message in (
        (["none.yaml"], "none.yaml: no such file, expected a YAML configuration"),
        (["folder"], "folder: cannot be read (Is a directory)"),
        (["no.yaml"], "no.yaml: "),
        (["bytes.yaml"], "bytes.yaml: "),
        ([CONFIG, *on(here / "nowhere")], "nowhere: no such folder, expected the root of PASCAL"),
        ([CONFIG, *on(CONFIG)], f"{CONFIG}: "),
        ([CONFIG, *on(here / "folder")], "folder: no folder 'JPEGImages' in it"),
        ([CONFIG, *on(voc, "dataset.name=voc2102")], "did you mean 'voc2012'?"),
        ([CONFIG, *on(voc, "loader.bach_size=3")], "did you mean 'batch_size'?"),
        ([CONFIG, *on(voc, "loader")], "expected key=value"),
        ([CONFIG, *on(voc), "--split", "trian"], "there are: train, trainval, val"),
    ):
        code, said = run(command, *arguments, *options)
        assert (code, said.startswith("dali-voc: ")) == (1, True), said
        assert message in said
    assert {path.name for path in here.iterdir()} == {"folder", "no.yaml", "bytes.yaml"}


@pytest.mark.parametrize("place", ["file", "file/below"])
@pytest.mark.parametrize("command", ["demo", "pack"])
def test_a_file_where_a_folder_is_to_be(
    command: str, place: str, run: Run, here: Path, voc: Path
) -> None:
    (here / "file").write_text("kept")
    arguments = [CONFIG, *on(voc)] if command == "pack" else []
    code, said = run(command, *arguments, "--out", place)
    assert code == 1
    assert said == "dali-voc: file: found a file, expected a folder to write into"
    assert (here / "file").read_text() == "kept"


@pytest.mark.parametrize("command", BY_CONFIG)
def test_results_without_a_place(
    command: str, run: Run, here: Path, voc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found out before the work, but for folders that are made."""
    option = BY_CONFIG[command][0]
    (here / "file").write_text("kept")
    with monkeypatch.context() as patched:
        if command != "pack":
            patched.setattr("dali_voc._prefetch.Prefetcher.fetch", None)
        code, said = run(command, CONFIG, *on(voc), option, "file/made")
        assert code == 1
        assert "file" in said
        code, said = run(command, CONFIG, *on(voc), *BY_CONFIG[command], "--json", "no/made.json")
        assert (code, "found no folder no, expected one to write into" in said) == (1, True)
    assert [path.name for path in here.iterdir()] == ["file"]


def test_one_file_by_two_names(run: Run, here: Path, voc: Path) -> None:
    (here / "link").symlink_to(here)
    code, said = run("stats", CONFIG, *on(voc), "-o", "counts", "--json", here / "link/counts")
    assert (code, "found for both JSON and counts, expected two files" in said) == (1, True)
    for place in ".", "..", "/":
        code, said = run("stats", CONFIG, *on(voc), "-o", place)
        assert (code, f"{place}: found a folder, expected a file's name" in said) == (1, True)


def contents(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("command", [*IN_PROCESS, "demo", "download"])
def test_a_full_disk(
    command: str, run: Run, here: Path, voc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (here / "out").mkdir()
    monkeypatch.setattr(_files.os, "replace", full)
    arguments = {
        "demo": ["--root", voc, "--out", "out", *on(voc)[2:]],
        "download": ["camvid", "--root", "x", "--json", "made"],
    }.get(command, [CONFIG, *on(voc), *BY_CONFIG.get(command, [])])
    code, said = run(command, *arguments)
    assert code == 1
    name = {"demo": "out/batch.png", "pack": "made/.train.packing/.plan.json"}
    assert said == (
        f"dali-voc: {name.get(command, 'made')}: cannot be written (No space left on device)"
    )
    assert contents(here) == []


@pytest.mark.parametrize(("size", "file"), [(100, ".plan.json"), (20_000, "shard-00000.pack")])
def test_packing_onto_a_full_disk(size: int, file: str, here: Path, voc: Path) -> None:
    done = limited(size, "pack", CONFIG, *on(voc), "-o", "made")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"dali-voc: made/.train.packing/{file}: cannot be written (File too large)"
    )
    assert not Path("made/train").exists()


def test_dali_needs_a_temporary_file(here: Path, voc: Path) -> None:
    done = limited(100, "verify", CONFIG, *on(voc))
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"dali-voc: {tempfile.gettempdir()}: ")
    assert "TMPDIR" in said


def limited(size: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command that may write no file of more bytes."""
    return subprocess.run(
        [sys.executable, "-m", "dali_voc", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        # Python ignores the signal
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )


@pytest.mark.parametrize("command", IN_PROCESS)
def test_an_interrupted_run(
    command: str, run: Run, here: Path, voc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the worst moment: when the result is written but has not its name."""
    replace = os.replace

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_files.os, "replace", interrupted)
    arguments = [command, CONFIG, *on(voc), *BY_CONFIG[command]]
    assert run(*arguments) == (130, "dali-voc: interrupted")
    monkeypatch.setattr(_files.os, "replace", replace)
    left = contents(here)
    assert all(name.startswith("made/.train.packing") for name in left), left
    # nothing that is left is in the way
    assert run(*arguments)[0] == 0
    assert contents(here)


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [(signal.SIGINT, 130, "dali-voc: interrupted"), (signal.SIGTERM, 143, "dali-voc: terminated")],
)
def test_bench_takes_its_processes_along(
    number: signal.Signals, code: int, said: str, here: Path, voc: Path
) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "dali_voc", "bench", CONFIG, *on(voc)),
            *("--seconds", "60", "--json", "made"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + 60
    started: list[str] = []
    # one that works is a group of its own
    while not any(os.getpgid(int(pid)) == int(pid) for pid in started):
        assert time.monotonic() < deadline
        time.sleep(0.05)
        started = children.read_text().split()
    process.send_signal(number)
    try:
        _, error = process.communicate(timeout=60)
    finally:
        process.terminate()
    assert (process.returncode, error) == (code, f"{said}\n")
    deadline = time.monotonic() + 10  # one that only tidies up ends after its parent
    while any(Path("/proc", pid).exists() for pid in started):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert contents(here) == []


def test_results_go_where_a_link_leads_and_into_devices(here: Path) -> None:
    (here / "link").symlink_to("target")
    _files.write_text(here / "link", "1")
    assert (here / "link").is_symlink()
    assert (here / "target").read_text() == "1"
    pipe = here / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    _files.write_text(pipe, "2")
    assert os.read(reader, 10) == b"2"
    os.close(reader)
    assert pipe.is_fifo()


def test_an_interrupt_behind_the_last_step_stays_one(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The result has its name by then, and the temporary file is gone."""
    replace = os.replace

    def interrupted(*names: Path) -> None:
        replace(*names)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _files.write_text(here / "made", "1")
    assert contents(here) == ["made"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_files_have_the_mode_of_the_mask(here: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        _files.write_text(here / "made", "1")
    finally:
        os.umask(before)
    assert (here / "made").stat().st_mode & 0o777 == 0o666 & ~mask


def test_names_may_be_as_long_as_there_are(here: Path) -> None:
    name = "n" * 255
    _files.write_text(here / name, "1")
    assert contents(here) == [name]


def shell(command: str, here: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", command.replace("dali-voc", f"{sys.executable} -m dali_voc")],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr.strip()


def test_nobody_listens_to_the_progress(here: Path, voc: Path) -> None:
    """The work is done, and its results are written."""
    data = " ".join(f"'{part}'" for part in on(voc))
    code, said = shell(f"dali-voc stats {CONFIG} {data} --out made --chart c.png > /dev/full", here)
    assert (here / "made").exists()
    assert code == 1
    assert said.endswith("standard output: No space left on device")


@pytest.mark.parametrize("command", ["config", "doctor"])
def test_standard_output_is_closed(here: Path, command: str) -> None:
    code, said = shell(f"dali-voc {command} {CONFIG} --json - >&-", here)
    assert (code, said) == (
        1,
        "dali-voc: standard output: found it closed, expected it open for --json -",
    )


def test_the_folder_is_gone(here: Path) -> None:
    code, said = shell(f"mkdir g && cd g && rmdir ../g && dali-voc config {CONFIG}", here)
    assert (code, said) == (1, "dali-voc: the folder that this was started in is gone")


def test_a_chart_beside_a_device(here: Path, run: Run, voc: Path) -> None:
    code, _ = run("stats", CONFIG, *on(voc), "--out", "/dev/stdout")
    assert (code, Path("/dev/stdout.png").exists()) == (2, False)


def test_an_error_before_the_first_step_begins_with_no_empty_line(here: Path, voc: Path) -> None:
    data = " ".join(f"'{part}'" for part in on(voc))
    command = f"{sys.executable} -m dali_voc verify {CONFIG} {data} --split vall | cat"
    done = subprocess.run(
        ["bash", "-c", command], cwd=here, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == ""
    assert done.stderr.startswith("dali-voc: ")


def test_a_folder_in_dev_is_one_as_others(run: Run, voc: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert run("stats", CONFIG, *on(voc), "--out", f"{folder}/a.json")[0] == 0
        assert contents(Path(folder)) == ["a.json", "a.png"]


def test_version(here: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dali_voc", "-V"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"dali-voc {dali_voc.__version__}\n"
