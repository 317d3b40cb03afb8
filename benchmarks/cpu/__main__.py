"""Our loader and its peers on a CPU, each in a process of its own, timed in turn.

    python -m benchmarks.cpu --root VOC2012 --out FILE.json --csv FILE.csv --plot FILE.png

Before the timing each loader that claims to do the same work is checked on an encoded data set:
alignment of every pixel, each sample once per epoch. Its warm-up is an epoch or more of the real
data, with every value checked; timed batches are checked for shape, dtype and layout.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from benchmarks.cpu.alignment import check_alignment
from benchmarks.cpu.encoded_voc import SIZES, write_encoded_voc
from benchmarks.cpu.peers import PEERS
from benchmarks.cpu.results import as_csv, summary, write_plot
from dali_voc._files import write_text
from dali_voc.benchmarking import BatchCheck, run_rounds
from dali_voc.config import parse_config
from dali_voc.datasets import find_index

__all__ = ["main"]

_EPOCHS = 2  # of the encoded data that are checked


def main() -> None:
    """Run what the command line says."""
    options = _options()
    lacking = {name: PEERS[name].missing() for name in options.only or PEERS}
    for name, lacks in lacking.items():
        if lacks:
            print(f"{name}: not installed ({', '.join(lacks)})", file=sys.stderr)
    names = tuple(name for name, lacks in lacking.items() if not lacks)
    config = parse_config(
        {
            "dataset": {"root": str(options.root)},
            "augment": {"crop_size": options.crop},
            "loader": {"device": "cpu", "threads": 2, "batch_size": options.batch_size},
        }
    )
    index = find_index(config.dataset, options.split)
    aligned = _check_all(tuple(name for name in names if PEERS[name].same_work))
    timings = run_rounds(
        config,
        split=options.split,
        names=names,
        rounds=options.rounds,
        seconds=options.seconds,
        contenders=PEERS,
        check=BatchCheck.from_config(config, index.spec),
        warm_up=-(-len(index) // options.batch_size),
        progress=lambda name: print(f"timed {name}", file=sys.stderr),
    )
    result = summary(
        config,
        timings,
        split=options.split,
        seconds=options.seconds,
        not_installed={name: lacks for name, lacks in lacking.items() if lacks},
        aligned=aligned,
    )
    print(as_csv(result), end="")
    if options.out:
        write_text(options.out, json.dumps(result, indent=2) + "\n")
    if options.csv:
        write_text(options.csv, as_csv(result))
    if options.plot:
        write_plot(result, options.plot)


def _check_all(names: tuple[str, ...]) -> dict[str, int]:
    """Check peers on the encoded data, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = write_encoded_voc(Path(folder) / "voc")
        found = {}
        for name in names:
            process = get_context("spawn").Process(
                target=check_alignment, args=(name, root, _EPOCHS)
            )
            process.start()
            process.join()
            if process.exitcode:
                sys.exit(f"'{name}': its batches are not right, see above; nothing was timed")
            found[name] = _EPOCHS * len(SIZES)
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.cpu", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--crop", type=int, nargs=2, default=[320, 480], help="height, width")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--only", nargs="*", choices=list(PEERS), help="some of the loaders")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    parser.add_argument("--csv", type=Path, help="and here as CSV")
    parser.add_argument("--plot", type=Path, help="and here as PNG")
    return parser.parse_args()


if __name__ == "__main__":
    main()
