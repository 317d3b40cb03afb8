"""Files that are truncated, removed and restored by another process while epochs run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dali_voc.synthetic import write_voc

# Large crops and a deep queue: many files are being read at any time.
READER = """
import sys
from dali_voc import build_loader, parse_config
config = parse_config({
    "dataset": {"root": sys.argv[1]},
    "loader": {"batch_size": 8, "device": "cpu", "threads": 2, "prefetch": 4, "on_error": "skip"},
})
print("ready", flush=True)
for _ in range(12):
    with build_loader(config) as loader:
        for _ in range(4):
            assert sum(len(images) for images, _ in loader) == 40
            print(len(loader.report().bad_files), flush=True)
"""
SPOILER = """
import os, sys, time
from pathlib import Path
root = Path(sys.argv[1])
files = sorted([*(root / "JPEGImages").iterdir(), *(root / "SegmentationClass").iterdir()])
sound = {p: p.read_bytes() for p in files}
i = 0
while True:
    path = files[i * 7 % len(files)]
    with open(path, "r+b") as file:
        file.truncate(len(sound[path]) // 3 * (i % 2))
    time.sleep(0.02)
    if i % 5 == 0:
        os.unlink(path)
        time.sleep(0.02)
    path.write_bytes(sound[path])
    i += 1
"""


@pytest.mark.slow
def test_no_crash_and_nothing_lost(tmp_path: Path) -> None:
    root = write_voc(tmp_path, train=40, val=2)
    spoiler = subprocess.Popen([sys.executable, "-c", SPOILER, root])
    try:
        done = subprocess.run(
            [sys.executable, "-c", READER, root],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        spoiler.kill()
        spoiler.wait()
    assert done.returncode == 0, done.stderr[-3000:]
    counts = [int(line) for line in done.stdout.splitlines()[1:]]
    assert len(counts) == 48
    assert max(counts) > 0, "no file was met in a bad moment"
