"""What each augmentation costs: pairs per second beside those of crop and flip alone.

    python benchmarks/augmentation_speed.py --root VOC2012 --out FILE.json

All loaders live in one process, two threads each, and are timed in turn, round after round; one
that is not timed has made its two batches ahead and stands still. Each lets some batches pass
before it is timed. Ratios are of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from results_file import report

from dali_voc import Loader, build_loader, parse_config

PHOTOMETRIC = {"brightness": 32.0, "contrast": 0.5, "saturation": 0.5, "hue": 36.0}
SCALE = {"scale": [0.5, 2.0]}
# name: sections of the configuration
VARIANTS: dict[str, dict[str, Any]] = {
    "crop, flip": {},
    "scale": {"augment": SCALE},
    "photometric": {"augment": PHOTOMETRIC},
    "scale, photometric": {"augment": {**SCALE, **PHOTOMETRIC}},
    "category_max_ratio 0.75": {"augment": {"category_max_ratio": 0.75}},
    "scale, photometric, category_max_ratio 0.75": {
        "augment": {**SCALE, **PHOTOMETRIC, "category_max_ratio": 0.75}
    },
    "class_crop 0.5": {"augment": {"class_crop": 0.5}},
    "vertical_flip 0.5": {"augment": {"vertical_flip": 0.5}},
    "rotate 10, half": {"augment": {"rotate": 10.0}},
    "blur, half": {"augment": {"blur": 0.5}},
    "noise, half": {"augment": {"noise": 0.5}},
    "jpeg, half": {"augment": {"jpeg": 0.5}},
    "erase, half": {"augment": {"erase": 0.5}},
    "cutmix, half": {"augment": {"cutmix": 0.5}},
    "classmix, half": {"augment": {"classmix": 0.5}},
    "copy_paste, half": {"augment": {"copy_paste": 0.5}},
    "images uint8, labels uint8": {"normalize": {"dtype": "uint8"}, "labels": {"dtype": "uint8"}},
    "images float16": {"normalize": {"dtype": "float16"}},
    "images bfloat16": {"normalize": {"dtype": "bfloat16"}},
    "channels_last": {"normalize": {"channels_last": True}},
    "one_hot uint8": {"labels": {"one_hot": True, "dtype": "uint8"}},
}


def batches(loader: Loader) -> Iterator[int]:
    """Batch sizes, without end."""
    while True:
        for images, _ in loader:
            yield len(images)


def measure(sizes: Iterator[int], *, seconds: float) -> float:
    """Pairs per second, after what had been made ahead."""
    for _ in range(4):
        next(sizes)
    begin, pairs = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        pairs += next(sizes)
    return pairs / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--only", nargs="*", help="parts of names; the first is always there")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    loaders = {}
    for name, sections in VARIANTS.items():
        if options.only and loaders and not any(part in name for part in options.only):
            continue
        common = {
            "dataset": {"root": str(options.root)},
            "loader": {"device": "cpu", "threads": 2, "batch_size": 64},
        }
        loaders[name] = build_loader(
            parse_config({**common, **sections}), split=options.split, training=True
        )
    running = {name: batches(loader) for name, loader in loaders.items()}
    rates: dict[str, list[float]] = {name: [] for name in running}
    for sizes in running.values():
        measure(sizes, seconds=0.5)
    for _ in range(options.rounds):
        for name, sizes in running.items():
            rates[name].append(measure(sizes, seconds=options.seconds))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    crop_only = next(iter(medians.values()))
    result = {
        "pairs_per_second": medians,
        "of_crop_only": {name: median / crop_only for name, median in medians.items()},
        "rounds": rates,
    }
    report(result, options.out)


if __name__ == "__main__":
    main()
