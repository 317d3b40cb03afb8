"""`dali-voc download` as a user meets it, killed and interrupted."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flaky_server import Answer, serve

from dali_voc.commands import main

COMMAND = [sys.executable, "-m", "dali_voc", "download"]


@pytest.fixture(scope="module")
def archive(voc: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "VOC.tar"
    with tarfile.open(path, "w") as tar:
        tar.add(voc, arcname="VOCdevkit/VOC2012")
    return path


def run(*arguments: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **more,
    )


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_done_and_already_there(
    archive: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    with serve(Answer(data=archive.read_bytes())) as server:
        first = run("VOC2012", "--root", tmp_path, "--url", f"{server.url}/a", "--sha256", sha256)
    root = tmp_path / "VOCdevkit/VOC2012"
    use = [
        f"in a configuration:  dataset: {{name: voc2012, root: {root}}}",
        f"to check every file: dali-voc verify configs/voc2012.yaml --set dataset.root={root}",
    ]
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines()[-3:] == [f"done: {root}, 21 pairs", *use]
    again = run("voc2012", "--root", tmp_path)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[-3:] == [f"already there: {root}, 21 pairs", *use]
    assert in_process("voc2012", "--root", str(tmp_path), "--quiet", monkeypatch=monkeypatch) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_in_mid_transfer_and_resumed(
    voc: Path, archive: Path, tmp_path: Path, number: signal.Signals
) -> None:
    data = archive.read_bytes()
    half = len(data) // 2
    part = tmp_path / "VOC.tar.part"
    stalls = Answer(data=data, cut=half, stall=True)
    with serve(stalls, Answer(data=data)) as server:
        options = ("voc2012", "--root", tmp_path, "--url", f"{server.url}/VOC.tar", "--keep")
        process = subprocess.Popen(
            [*COMMAND, *map(str, options)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until(lambda: part.exists() and part.stat().st_size == half)
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
        assert part.read_bytes() == data[:half]
        assert not (tmp_path / "VOC.tar").exists()
        if number == signal.SIGINT:
            assert process.returncode == 130
            assert said.splitlines()[-1].startswith("dali-voc: interrupted; what has come is kept")
        else:
            assert process.returncode == (143 if number == signal.SIGTERM else -number)
        done = run(*options)
    assert done.returncode == 0, done.stderr
    assert server.asked[1] == ("/VOC.tar", f"bytes={half}-", '"1"')
    assert (tmp_path / "VOC.tar").read_bytes() == data
    for path in voc.rglob("*.png"):
        found = tmp_path / "VOCdevkit/VOC2012" / path.relative_to(voc)
        assert found.read_bytes() == path.read_bytes()
    assert not part.exists()


def limit_files(size: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_file_that_may_not_grow(archive: Path, tmp_path: Path) -> None:
    """As a disk that is full; then there is room, and it goes on."""
    data = archive.read_bytes()
    limit = 100_000
    with serve(Answer(data=data)) as server:
        options = ("voc2012", "--root", tmp_path, "--url", f"{server.url}/VOC.tar")
        full = run(*options, preexec_fn=limit_files(limit))
        assert full.returncode == 1
        assert full.stderr.splitlines()[-1] == (
            f"dali-voc: {tmp_path}/VOC.tar.part: cannot be written (File too large); "
            f"{limit:,} bytes are kept, and the same command goes on from there"
        )
        done = run(*options)
    assert done.returncode == 0, done.stderr
    assert server.asked[-1][1] == f"bytes={limit}-"


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=$2 none "$1" || exit 99
"$3" -c '
import shutil
from dali_voc.commands import main
# what is checked beforehand is the concern of another test
shutil.disk_usage = lambda _: shutil._ntuple_diskusage(0, 0, 1 << 40)
main()
' download voc2012 --root "$1" --url "$4" --quiet
code=$?
ls -A "$1"
exit $code
"""


def test_a_disk_that_is_full_while_unpacking(archive: Path, tmp_path: Path) -> None:
    """A real one, of half the archive's size."""
    size = archive.stat().st_size // 2
    arguments = (tmp_path, size, sys.executable, archive)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "dali-voc" not in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr}")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"dali-voc: {tmp_path}/VOCdevkit: cannot be written (No space left on device)"
    )
    assert done.stdout == ""  # nothing is left on the disk


def in_process(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return the exit code, or the sentence that goes to stderr with exit code 1."""
    monkeypatch.setattr("sys.argv", ["dali-voc", "download", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    return done.value.code


def test_bad_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.chdir(tmp_path)
    for arguments, expected in {
        ("voc2021", "--root", "x"): "voc2021: no data set that is known here; expected one of",
        ("voc2012", "--root", "file"): f"{tmp_path}/file: found a file, expected a folder",
        ("voc2012", "--root", "x", "--url", "none.tar"): f"{tmp_path}/none.tar: no such file",
        ("voc2012", "--root", "x", "--md5", "1"): "--md5: found '1', expected 32 hexadecimal dig",
        ("voc2012", "--root", "x", "--md5", "1", "--sha256", "2"): "--md5, --sha256: found both",
    }.items():
        said = in_process(*arguments, monkeypatch=monkeypatch)
        assert str(said).startswith(f"dali-voc: {expected}")
        assert "\n" not in str(said)
    assert in_process("voc2012", monkeypatch=monkeypatch) == 2


def test_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert in_process("--help", monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    assert "Example: dali-voc download voc2012 --root /data" in said
    assert "Exit codes: 0 it is there" in said


def test_what_needs_an_account_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert in_process("cityscapes", "--root", str(tmp_path), monkeypatch=monkeypatch) == 0
    said = capsys.readouterr().out
    for part in (
        "Cityscapes needs an account, at https://www.cityscapes-dataset.com/register.",
        f"Fetch, into {tmp_path}/cityscapes:",
        "leftImg8bit_trainvaltest.zip",
        f"  {tmp_path}/cityscapes/gtFine/train",
        f"dataset: {{name: cityscapes, root: {tmp_path}/cityscapes}}",
    ):
        assert part in said
    assert os.listdir(tmp_path) == []
