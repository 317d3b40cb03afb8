"""ThreadSanitizer on the GPU kernels: no order of threads gives other results than the host's.

The host runs a kernel's threads in one order. What only that order makes right would pass the other
tests of kernels and fail on a GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cuda_on_cpu import FINDS_RACES, NATIVE, SOURCES

FOUND = 66  # exit code


def options(log: Path) -> dict[str, str]:
    given = f"halt_on_error=1:exitcode={FOUND}:log_path={log}"
    return {"TSAN_OPTIONS": f"{given}:suppressions={NATIVE / 'not_kernels.supp'}"}


@pytest.fixture(scope="module")
def racy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the kernels with faults; as in the driver, fibers themselves are not looked at."""
    folder = tmp_path_factory.mktemp("racy")
    command = ["g++", "-std=c++17", "-O1", "-g1", f"-I{SOURCES}"]
    objects = [folder / "racy.o", folder / "fibers.o"]
    for result, extra in zip(objects, (["-fsanitize=thread"], []), strict=True):
        source = NATIVE / f"{result.stem}.cc"
        subprocess.run([*command, *extra, "-c", source, "-o", result], check=True)
    subprocess.run(["g++", "-fsanitize=thread", *objects, "-o", folder / "racy"], check=True)
    return folder / "racy"


@pytest.mark.parametrize("which", ["right", "wrong"])
@pytest.mark.parametrize(
    "fault",
    [
        *("barrier", "loop", "warp_barrier", "other_warp"),
        *("blocks_overlap", "read_only", "count", "fence", "wait"),
    ],
)
def test_faults_are_found(racy: Path, fault: str, which: str, tmp_path: Path) -> None:
    environment = os.environ | options(tmp_path / "log")
    done = subprocess.run([racy, fault, which], env=environment, check=False)
    assert done.returncode == (0 if which == "right" else FOUND)
    logs = [file.read_text() for file in tmp_path.iterdir()]
    assert ["data race" in log for log in logs] == [True] * (which == "wrong")


@pytest.mark.slow
@pytest.mark.parametrize(
    "tests", ["color_to_index", "copy_rows", "crop_image", "crop_label", "png"]
)
def test_kernels_have_none(tests: str, tmp_path: Path) -> None:
    """Run the tests of kernels again, in a process whose kernels are looked at."""
    sanitizer = subprocess.run(
        ["g++", "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    environment = os.environ | options(tmp_path / "log") | {FINDS_RACES: "1"}
    environment["LD_PRELOAD"] = str(Path(sanitizer).resolve(strict=True))
    # all 2^24 colors take long, and each is one thread's
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += [Path(__file__).with_name(f"test_kernel_{tests}.py"), "-k", "not exhaustively"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    logs = "".join(file.read_text() for file in tmp_path.iterdir())
    assert done.returncode == 0, logs or done.stdout[-4000:] + done.stderr[-4000:]
    assert " passed" in done.stdout
