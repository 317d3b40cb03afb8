"""What each step towards a faster loader brought: commits and settings side by side, in one run.

    python benchmarks/steps.py --root VOC2012 --out FILE.json

Each commit is built anew into a folder of its own (needs what CONTRIBUTING.md installs to build,
and the repository's history). All loaders live in processes of their own, two threads each, and are
timed in turn, round after round; one that is not timed is stopped. Ratios are of the medians.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
# what a commit has and its parent has not
COMMITS = {
    "before": "2923f32",
    "batches planned in a thread": "043f8bb",
    "only the window decoded, row by row, into the normalising pass": "6c66dc9",
    "Huffman decoder of our own": "cbf0e57",
    "labels mapped as they are written; own reading of files": "77f7b53",
    "cache and PNG decoder (not used here)": "5d84c49",
    "rows stored past the caches as they are made; longest files first": "523c596",
    "16 bits and bytes as fast as floats": "0d66fa0",
    "buffers from 2 MiB on kept for later batches": "684d5cd",
}
SETTINGS = {
    "1 thread": "loader.threads=1",
    "3 threads": "loader.threads=3",
    "prefetch 1": "loader.prefetch=1",
    "prefetch 4": "loader.prefetch=4",
    "images as bytes": "normalize.dtype=uint8",
    "images as float16": "normalize.dtype=float16",
    "labels as bytes": "labels.dtype=uint8",
    "cache: encoded": "cache.keep=encoded",
}


def serve(root: str, overrides: Sequence[str]) -> None:
    """Measure for as many seconds as each line on stdin says."""
    from dali_voc import build_loader, parse_config  # noqa: PLC0415
    from dali_voc.benchmarking._contenders import bound_batches  # noqa: PLC0415

    common = ["loader.device=cpu", "loader.threads=2", "loader.batch_size=32"]
    is_bound = "bound" in overrides
    own = [override for override in overrides if override != "bound"]
    config = parse_config({}, overrides=[f"dataset.root={root}", *common, *own])

    def sizes() -> Any:
        if is_bound:
            for batch in bound_batches(config, "trainval"):
                yield batch if isinstance(batch, int) else len(batch[0])
        loader = build_loader(config, split="trainval", training=True)
        while True:
            for images, _ in loader:
                yield len(images)

    batches = sizes()
    for _ in range(40):
        next(batches)
    print("ready", flush=True)
    for line in sys.stdin:
        for _ in range(5):
            next(batches)
        begin, used, pairs = time.perf_counter(), cpu_seconds(), 0
        while time.perf_counter() - begin < float(line):
            pairs += next(batches)
        elapsed = time.perf_counter() - begin
        print(pairs / elapsed, 1000 * (cpu_seconds() - used) / pairs, flush=True)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def build(commit: str, folder: Path) -> Path:
    """Return a folder that holds the package as of a commit."""
    tree, wheels, site = folder / "tree", folder / "wheels", folder / "site"
    git = ["git", "-C", str(REPOSITORY)]
    subprocess.run([*git, "worktree", "add", "-q", "--detach", str(tree), commit], check=True)
    try:
        pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "-w", str(wheels), str(tree)], check=True)
    finally:
        subprocess.run([*git, "worktree", "remove", "--force", str(tree)], check=True)
    (wheel,) = wheels.glob("dali_voc-*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    return site


class Process:
    """One loader; stopped unless it is measured."""

    def __init__(self, site: Path, root: Path, *overrides: str) -> None:
        # without site's own files, so that an editable installation does not come first
        program = (
            f"import sys; sys.path[:0] = [{str(site)!r}]; "
            f"sys.path += [{sysconfig.get_path('purelib')!r}, {str(Path(__file__).parent)!r}]; "
            "import steps; steps.serve(sys.argv[1], sys.argv[2:])"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", program, str(root), *overrides],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            process_group=0,
        )
        if self._read() != "ready":
            raise SystemExit(f"the loader of {site} did not begin")
        self._signal(signal.SIGSTOP)

    def measure(self, seconds: float) -> tuple[float, float]:
        """Return pairs per second and milliseconds of CPU time per pair."""
        self._signal(signal.SIGCONT)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        rate, cpu = map(float, self._read().split())
        self._signal(signal.SIGSTOP)
        return rate, cpu

    def end(self) -> None:
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self._process.pid, number)


def main() -> None:
    from results_file import report  # noqa: PLC0415

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    processes: dict[str, Process] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            site = Path()
            for name, commit in COMMITS.items():
                place = Path(folder, commit)
                place.mkdir()
                site = build(commit, place)
                processes[name] = Process(site, options.root)
            for name, override in SETTINGS.items():
                processes[name] = Process(site, options.root, override)
            processes["bound"] = Process(site, options.root, "bound")
            rounds = {name: [] for name in processes}
            for _ in range(options.rounds):
                for name, process in processes.items():
                    rounds[name].append(process.measure(options.seconds))
        finally:
            for process in processes.values():
                process.end()
    rates = {name: statistics.median(r for r, _ in values) for name, values in rounds.items()}
    last = list(COMMITS)[-1]
    result = {
        "steps": {
            name: {
                "commit": COMMITS.get(name),
                "setting": SETTINGS.get(name),
                "pairs_per_second": rates[name],
                "cpu_ms_per_pair": statistics.median(cpu for _, cpu in values),
                "of_bound": rates[name] / rates["bound"],
                "of_last_commit": rates[name] / rates[last],
            }
            for name, values in rounds.items()
        },
        "rounds": {name: [rate for rate, _ in values] for name, values in rounds.items()},
        "seconds_per_round": options.seconds,
    }
    report(result, options.out)


if __name__ == "__main__":
    main()
