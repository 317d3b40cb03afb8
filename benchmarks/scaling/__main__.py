"""Cost against size: threads, batch size, picture size, data set size; and the first batch.

    python -m benchmarks.scaling --root VOC2012 --out FILE.json --plot FILE.png

Every figure comes from a fresh process. Rates are medians of some rounds, interleaved.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.results_file import report
from benchmarks.scaling.pictures import write_many_names, write_sized
from benchmarks.scaling.plot import write_plot

__all__ = ["main"]


def main() -> None:
    """Run what the command line says."""
    options = _options()
    root, split = str(options.root), options.split
    result: dict[str, Any] = {"cores": len(os.sched_getaffinity(0))}
    result["threads"] = _curve(
        {n: (root, split, {"loader": {"batch_size": 32, "threads": n}}) for n in options.threads},
        options,
    )
    result["batch_size"] = _curve(
        {n: (root, split, {"loader": {"batch_size": n}}) for n in options.batch_sizes}, options
    )
    with tempfile.TemporaryDirectory() as folder:
        sized = {
            width * width * 3 // 4: write_sized(
                Path(folder) / f"w{width}", size=(width, width * 3 // 4)
            )
            for width in options.widths
        }
        loader = {"loader": {"batch_size": 8}}
        result["picture_pixels"] = _curve(
            {pixels: (str(made), "train", loader) for pixels, made in sized.items()}, options
        )
        linked = {
            count: write_many_names(Path(folder) / f"n{count}", source=options.root, count=count)
            for count in options.links
        }
        loader = {"loader": {"batch_size": 32}}
        result["data_set"] = _curve(
            {count: (str(made), "train", loader) for count, made in linked.items()}, options
        )
        result["first_batch_by_data_set"] = {
            count: _first_batch(str(made), "train", options.rounds)
            for count, made in linked.items()
        }
    result["planning"] = [_probe("planning", count) for count in options.counts]
    result["first_batch"] = _first_batch(root, split, options.rounds)
    one = result["threads"].get(1)
    if one:
        result["of_linear"] = {
            n: row["pairs_per_second"] / one["pairs_per_second"] / n
            for n, row in result["threads"].items()
            if n <= result["cores"]
        }
    report(result, options.out)
    if options.plot:
        write_plot(result, options.plot)


def _curve(
    points: dict[int, tuple[str, str, dict[str, Any]]], options: argparse.Namespace
) -> dict[int, dict[str, Any]]:
    found: dict[int, list[dict[str, Any]]] = {point: [] for point in points}
    for _ in range(options.rounds):
        for point, (root, split, settings) in points.items():
            found[point].append(_probe("rate", root, split, options.seconds, json.dumps(settings)))
    return {point: _medians(rows) for point, rows in found.items()}


def _first_batch(root: str, split: str, rounds: int) -> dict[str, Any]:
    settings = json.dumps({"loader": {"batch_size": 32, "device": "cpu"}})
    return _medians([_probe("first_batch", root, split, settings) for _ in range(rounds)])


def _medians(rows: list[dict[str, Any]]) -> dict[str, Any]:
    medians = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
    return {**medians, "rounds": rows}


def _probe(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scaling.probes", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 2, 3, 4, 8, 16])
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=[1, 4, 16, 64, 128])
    parser.add_argument("--widths", type=int, nargs="*", default=[500, 1000, 2000, 4000])
    parser.add_argument("--links", type=int, nargs="*", default=[1000, 10000, 100000])
    parser.add_argument("--counts", type=int, nargs="*", default=[1000, 10000, 100000, 1000000])
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    parser.add_argument("--plot", type=Path, help="and here as PNG")
    return parser.parse_args()


if __name__ == "__main__":
    main()
