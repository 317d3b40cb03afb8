"""How long it takes to list a data set's files, and to read its index file instead.

The files are empty, as neither looks into them. Each figure comes from a process of its own that
has listed ten pairs before, so that it shows what the number of pairs costs. The folders are in the
page cache.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from process_memory import memory
from results_file import report

from dali_voc import Config, parse_config
from dali_voc.datasets import find_index
from dali_voc.indexing import write_index


class EmptyFiles:
    """Makes empty files as hard links, which takes a seventh of the time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._made = 0

    def write(self, path: Path) -> None:
        source = self._root / f"empty{self._made // 60_000}"  # ext4 allows 65,000 links of a file
        if self._made % 60_000 == 0:
            source.touch()
        os.link(source, path)
        self._made += 1


def write_voc(root: Path, pairs: int) -> None:
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    stems = [f"2012_{i:07d}" for i in range(pairs)]
    (root / "ImageSets/Segmentation/train.txt").write_text("".join(f"{stem}\n" for stem in stems))
    files = EmptyFiles(root)
    for stem in stems:
        files.write(root / f"JPEGImages/{stem}.jpg")
        files.write(root / f"SegmentationClass/{stem}.png")


def write_cityscapes(root: Path, pairs: int) -> None:
    root.mkdir()
    files = EmptyFiles(root)
    for first in range(0, pairs, 20_000):
        city = f"city{first // 20_000}"
        images, labels = (root / kind / "train" / city for kind in ("leftImg8bit", "gtFine"))
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for i in range(first, min(first + 20_000, pairs)):
            stem = f"{city}_{i // 100:06d}_{i % 100:06d}"
            files.write(images / f"{stem}_leftImg8bit.png")
            files.write(labels / f"{stem}_gtFine_labelIds.png")


LAYOUTS: dict[str, Callable[[Path, int], None]] = {
    "voc2012": write_voc,
    "cityscapes": write_cityscapes,
}


def config(layout: str, root: str, index: str | None = None) -> Config:
    return parse_config({"dataset": {"name": layout, "root": root, "index": index}})


def measure(layout: str, folder: str, index: str | None) -> dict[str, float]:
    few = config(layout, f"{folder}/few", index and f"{folder}/few.npz")
    many = config(layout, f"{folder}/many", index)
    find_index(few.dataset, split="train")
    before, begin = memory(), time.perf_counter()
    found = find_index(many.dataset, split="train")
    seconds, after = time.perf_counter() - begin, memory()
    return {
        "pairs": len(found),
        "seconds": round(seconds, 4),
        "mb": after["VmRSS"] - before["VmRSS"],
        "peak_mb": after["VmHWM"] - before["VmRSS"],
    }


def compare(layout: str, pairs: int, rounds: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        for name, count in {"few": 10, "many": pairs}.items():
            LAYOUTS[layout](Path(folder, name), count)
            path = Path(folder, f"{name}.npz")
            write_index(config(layout, f"{folder}/{name}"), path)
        taken: dict[str, list[dict[str, float]]] = {"listing": [], "index file": []}
        for _ in range(rounds):
            for way, rows in taken.items():
                given = [path] if way == "index file" else []
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", layout, folder, *map(str, given)],
                    stdout=subprocess.PIPE,
                    check=True,
                )
                rows.append(json.loads(done.stdout))
        return {
            "index_bytes": path.stat().st_size,
            "medians": {
                way: {key: median(row[key] for row in rows) for key in rows[0]}
                for way, rows in taken.items()
            },
            "rounds": taken,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        layout, folder, *index = arguments.measure
        print(json.dumps(measure(layout, folder, index[0] if index else None)))
        return
    report(
        {name: compare(name, arguments.pairs, arguments.rounds) for name in LAYOUTS}, arguments.out
    )


if __name__ == "__main__":
    main()
