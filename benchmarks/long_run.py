"""What only long runs show: memory, open files, threads, determinism, Ctrl-C.

    python benchmarks/long_run.py --batches 100000 --out FILE.json

Parts: `memory` (resident memory over many small batches), `loaders` (50 loaders built and closed),
`hashes` (SHA-256 over all batches for 1..4 threads and 1..4 batches ahead), `interrupt` (Ctrl-C).
Exit code 1 if a bar of the project is missed.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import itertools
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from results_file import report

from dali_voc import Config, build_loader, parse_config
from dali_voc.synthetic import write_voc

PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20
INTERRUPTED = """
import signal, sys
from dali_voc import build_loader, parse_config
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
config = parse_config({"dataset": {"root": sys.argv[1]}, "loader": {"batch_size": 8}})
with build_loader(config) as loader:
    while True:
        for images, labels in loader:
            print("batch", flush=True)
"""


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_MB


def make_config(root: Path, **loader: object) -> Config:
    return parse_config(
        {
            "dataset": {"root": str(root)},
            "augment": {"crop_size": [32, 48]},
            "loader": {"batch_size": 4, "device": "cpu", **loader},
        }
    )


def memory(root: Path, batches: int) -> dict[str, object]:
    """Slope of resident memory after a tenth of the run has passed."""
    samples = []
    begin = time.perf_counter()
    with build_loader(make_config(root)) as loader:
        count = 0
        while count < batches:
            for _ in loader:
                count += 1
                if count % max(1, batches // 200) == 0:
                    samples.append((count, resident_mb()))
                if count == batches:
                    break
    counts, resident = np.array([s for s in samples if s[0] > batches / 10]).T
    slope = float(np.polyfit(counts / 1000, resident, 1)[0])
    return {
        "batches": batches,
        "seconds": round(time.perf_counter() - begin, 1),
        "resident_mb_at_a_tenth": round(float(resident[0]), 1),
        "resident_mb_at_the_end": round(float(resident[-1]), 1),
        "slope_mb_per_1000_batches": round(slope, 5),
        "met": slope < 1.0,
    }


def loaders(root: Path, number: int) -> dict[str, object]:
    """Resident memory, open files and threads over many loaders, after the first few."""

    def once() -> None:
        with build_loader(make_config(root)) as loader:
            for _ in loader:
                pass

    def census() -> tuple[float, int, int]:
        gc.collect()
        time.sleep(0.5)  # threads that have been told to end do so a little later
        threads = len(os.listdir("/proc/self/task"))
        return resident_mb(), len(os.listdir("/proc/self/fd")), threads

    for _ in range(5):
        once()
    before = census()
    for _ in range(number):
        once()
    after = census()
    growth = after[0] / before[0] - 1
    return {
        "loaders": number,
        "resident_mb": [round(before[0], 1), round(after[0], 1)],
        "growth": round(growth, 4),
        "open_files": [before[1], after[1]],
        "threads": [before[2], after[2]],
        "python_threads": threading.active_count(),
        "met": growth < 0.05 and after[1] <= before[1] and after[2] <= before[2],
    }


def hashes(root: Path) -> dict[str, object]:
    """One SHA-256 over two epochs for each number of threads and of batches ahead."""
    found = {}
    for threads, prefetch in itertools.product(range(1, 5), range(1, 5)):
        digest = hashlib.sha256()
        config = make_config(root, threads=threads, prefetch=prefetch, batch_size=7)
        with build_loader(config) as loader:
            for _ in range(2):
                for images, labels in loader:
                    digest.update(images.numpy().tobytes() + labels.numpy().tobytes())
        found[f"{threads} threads, {prefetch} ahead"] = digest.hexdigest()
    return {"sha256": found, "met": len(set(found.values())) == 1}


def interrupt(root: Path, times: int) -> dict[str, object]:
    """Seconds from SIGINT to the end of the process, and what is left of its session."""
    seconds, left = [], 0
    for i in range(times):
        process = subprocess.Popen(
            [sys.executable, "-c", INTERRUPTED, str(root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for _ in range(1 + 7 * i):
            process.stdout.readline()  # type: ignore[union-attr]
        begin = time.perf_counter()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        seconds.append(round(time.perf_counter() - begin, 3))
        try:
            os.killpg(process.pid, 0)
            left += 1
        except ProcessLookupError:
            pass
    return {
        "seconds": seconds,
        "processes_left": left,
        "met": max(seconds) < 2 and not left,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=100_000)
    parser.add_argument("--loaders", type=int, default=50)
    parser.add_argument("--interrupts", type=int, default=10)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = write_voc(Path(folder), train=40, val=4)
        result: dict[str, object] = {
            "interrupt": interrupt(root, options.interrupts),
            "hashes": hashes(root),
            "loaders": loaders(root, options.loaders),
            "memory": memory(root, options.batches),
        }
    report(result, options.out)
    parts = [part for part in result.values() if isinstance(part, dict) and "met" in part]
    return 0 if all(part["met"] for part in parts) else 1


if __name__ == "__main__":
    sys.exit(main())
