"""How many pairs `dali-voc verify` reads a second, with and without decoding the images.

    python -m benchmarks.verify_speed --root VOC2012 --out FILE.json

The pairs of `--root` get many names, by symbolic links. Every figure comes from the command itself
in a fresh process, so that its start is part of it; what that takes, a split of one pair says.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.results_file import report
from benchmarks.scaling.pictures import write_many_names

_WAYS: dict[str, Sequence[str]] = {"fast": ("--fast",), "whole": ()}


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--pairs", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in ("start", *_WAYS)}
    with tempfile.TemporaryDirectory() as folder:
        one, many = (
            write_many_names(Path(folder) / str(count), source=options.root, count=count)
            for count in (1, options.pairs)
        )
        for _ in range(options.rounds):
            seconds["start"].append(_verify(one, "--fast", threads=options.threads))
            for name, flags in _WAYS.items():
                seconds[name].append(_verify(many, *flags, threads=options.threads))
    start = median(seconds["start"])
    result: dict[str, object] = {
        "pairs": options.pairs,
        "threads": options.threads,
        "seconds": seconds,
        "pairs_per_second": {
            name: {
                "start included": round(options.pairs / median(seconds[name])),
                "start taken off": round(options.pairs / (median(seconds[name]) - start)),
            }
            for name in _WAYS
        },
    }
    report(result, options.out)


def _verify(root: Path, *flags: str, threads: int) -> float:
    config = root.parent / "voc.yaml"
    config.write_text(f"dataset: {{name: voc2012, root: {root}}}\n")
    command = [sys.executable, "-c", "from dali_voc.commands import main; main()", "verify"]
    begin = time.perf_counter()
    subprocess.run([*command, str(config), *flags, "--jobs", str(threads), "--quiet"], check=True)
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
