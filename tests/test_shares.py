"""Storage that fails now and then, and is well when it is asked again."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import encoded_voc
import pytest
from run_code import run_code

# `open` and `openat` of a label fail as often as FAILS says
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static int Fails(const char* path) {
  static atomic_int times = 0;
  if (!strstr(path, "SegmentationClass/s0002")) return 0;
  return atomic_fetch_add(&times, 1) < atoi(getenv("FAILS"));
}

#define SHIM(name)                                                                   \\
  int name(const char* path, int flags, ...) {                                       \\
    int (*real)(const char*, int, int) = dlsym(RTLD_NEXT, #name);                    \\
    if (Fails(path)) { errno = ESTALE; return -1; }                                  \\
    return real(path, flags, 0666);                                                  \\
  }
SHIM(open)
SHIM(open64)
"""
CODE = """
import sys
from dali_voc import build_loader, parse_config
config = parse_config({
    "dataset": {"root": sys.argv[1]},
    "augment": {"crop_size": [48, 64]},
    "loader": {"device": "cpu", "batch_size": 4, "threads": 2, "on_error": sys.argv[2]},
})
with build_loader(config, split="val") as loader:
    shown = [int(s) for _ in loader for s in loader.in_hand.samples]
    print(shown == list(range(8)), len(loader.report().bad_files))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    command = ["gcc", "-shared", "-fPIC", "-o", "shim.so", "shim.c", "-ldl"]
    subprocess.run(command, cwd=folder, check=True)
    encoded_voc.write(folder / "voc")
    return folder


@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_a_file_is_asked_for_again(shim: Path, on_error: str) -> None:
    done = run_code(CODE, shim / "voc", on_error, LD_PRELOAD=str(shim / "shim.so"), FAILS="1")
    assert done.stdout.strip() == "True 0", done.stderr


@pytest.mark.parametrize("fails", [2, 999])
def test_a_file_that_fails_again_is_bad(shim: Path, fails: int) -> None:
    done = run_code(CODE, shim / "voc", "raise", LD_PRELOAD=str(shim / "shim.so"), FAILS=str(fails))
    assert re.search(
        r"SampleError: .*s0002\.png: cannot be read \(Stale file handle\)", done.stderr
    )
