"""What several crops of each sample bring, on a CPU: `sampling.crops`.

    python benchmarks/several_crops.py --root VOC2012 --out FILE.json

The whole loader, crops per second, on VOC's pairs and on those of large photographs that
`large_photos.py` puts together, plain and with restart markers. All numbers of crops are timed in
turn, round after round. That batches are those of crops that are decoded one by one is checked by
tests/test_several_crops.py.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from large_photos import copy_with_restarts, labelled_ids, write_pairs
from png_photos import Run, race
from results_file import report
from scaling.pictures import write_many_names

from dali_voc import build_loader, parse_config

CROPS = (1, 2, 4, 8, 16)
NAMES = 16  # of each large photograph
BATCH = 64


def settle() -> None:
    """Wait until the threads of the loader that was timed before have made what they make ahead."""
    busy = 1.0
    while busy > 0.02:
        before = time.process_time()
        time.sleep(0.1)
        busy = time.process_time() - before


def run_for(batches: Iterator[Any], seconds: float) -> tuple[int, float]:
    settle()
    for _ in range(3):  # those that were made while others were timed
        next(batches)
    count, begin = 0, time.perf_counter()
    while (taken := time.perf_counter() - begin) < seconds:
        count += len(next(batches)[0])
    return count, taken


def measure(
    dataset: dict[str, str], augment: dict[str, Any], *, rounds: int, seconds: float
) -> dict[str, Any]:
    with ExitStack() as stack:
        runs: dict[str, Run] = {}
        for crops in CROPS:
            config = parse_config(
                {
                    "dataset": dataset,
                    "augment": augment,
                    "sampling": {"crops": crops},
                    "loader": {"device": "cpu", "batch_size": BATCH, "last_batch": "drop"},
                }
            )
            loader = stack.enter_context(build_loader(config))
            endless = itertools.chain.from_iterable(itertools.repeat(loader))
            runs[str(crops)] = functools.partial(run_for, endless, seconds)
        found = race(runs, rounds)
    one = found["1"]["ms_per_picture"]
    for row in found.values():
        row["rate"] = one / row["ms_per_picture"]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run")
    parser.add_argument("--pairs", type=int, default=12, help="large photographs")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    ids = labelled_ids(options.root)
    timed = {"rounds": options.rounds, "seconds": options.seconds}
    voc = {"name": "voc2012", "root": str(options.root)}
    data: dict[str, Any] = {}
    data["VOC, 320x480"] = measure(voc, {"crop_size": [320, 480]}, **timed)
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder) / "photos"
        write_pairs(photos, options.root, ids, options.pairs)
        restarts = Path(folder) / "restarts"
        copy_with_restarts(photos, restarts)
        for title, source in {"": photos, ", restarts": restarts}.items():
            root = write_many_names(
                source.with_name(f"voc-{source.name}"), source=source, count=NAMES * options.pairs
            )
            dataset = {"name": "voc2012", "root": str(root)}
            for kind, augment in {
                "512x512": {"crop_size": [512, 512]},
                "512x512, scale 0.5 to 2": {"crop_size": [512, 512], "scale": [0.5, 2.0]},
            }.items():
                data[f"4000x3000{title}, {kind}"] = measure(dataset, augment, **timed)
    report({"batch": BATCH, **timed, "pairs": options.pairs, "data": data}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
