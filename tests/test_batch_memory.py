"""Batches take their memory again and again, instead of new memory for each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from augmented import write_lossless

from dali_voc.pipeline._memory import keep_buffers

PROGRAM = """
import resource, sys
from dali_voc import build_loader, parse_config

config = parse_config({
    "dataset": {"root": sys.argv[1]},
    "augment": {"crop_size": [320, 480]},
    "normalize": {"dtype": sys.argv[2]},
    "loader": {"device": "cpu", "batch_size": 10, "threads": 2},
})
BYTES = 10 * 320 * 480 * (3 * {"float32": 4, "float16": 2}[sys.argv[2]] + 8)
with build_loader(config) as loader:
    def batches():
        while True:
            yield from loader

    source = batches()
    for _ in range(20):
        next(source)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(30):
        next(source)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
print(faults / 30 / (BYTES / resource.getpagesize()))
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("memory"))


def fresh_pages(root: Path, dtype: str) -> float:
    """How large a share of a batch's pages the system had to make for it."""
    command = [sys.executable, "-c", PROGRAM, str(root), dtype]
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("DALI_", "MALLOC_"))}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_pages_are_used_again(root: Path, dtype: str) -> None:
    assert fresh_pages(root, dtype) < 0.05


@pytest.mark.parametrize(
    "given",
    [
        {"DALI_MALLOC_POOL_THRESHOLD": "1024M"},
        {"MALLOC_MMAP_THRESHOLD_": "65536"},
        {"MALLOC_MMAP_MAX_": "0"},
    ],
)
def test_the_environment_has_the_last_word(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(given))
    keep_buffers()
    assert os.environ == given
