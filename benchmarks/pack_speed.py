"""Loose files against the same pairs packed: large and small pictures, cold and warm cache.

Both go through the whole loader, in one process, epoch after epoch in turn; before each epoch of
the cold runs the pairs are put out of the page cache. Figures are pairs per second, medians of the
rounds. "reading" is the operator that reads, alone.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from nvidia.dali import Pipeline, fn
from results_file import report

from dali_voc import Config, build_loader, parse_config
from dali_voc.datasets import PairIndex, find_index
from dali_voc.ops import read_record
from dali_voc.packing import pack_split
from dali_voc.synthetic import draw_pair

SMALL = 96
BATCH = 64
Epoch = Callable[[], int]


def write_small(root: Path, pairs: int) -> None:
    """Write pairs of 96 x 96 pixels in VOC's layout, all in the split train."""
    for folder in "JPEGImages", "SegmentationClass", "ImageSets/Segmentation":
        (root / folder).mkdir(parents=True)
    names = [f"small_{i:06d}" for i in range(pairs)]
    for i, name in enumerate(names):
        picture, label = draw_pair(np.random.default_rng(i), size=(SMALL, SMALL))
        picture.save(root / "JPEGImages" / f"{name}.jpg", quality=90)
        label.save(root / "SegmentationClass" / f"{name}.png")
    text = "".join(f"{name}\n" for name in names)
    (root / "ImageSets/Segmentation/train.txt").write_text(text)


def drop_everything() -> None:
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3")


def drop_files(files: list[Path]) -> None:
    os.sync()
    for path in files:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def files_of(index: PairIndex) -> list[Path]:
    lists = (index.images, index.labels)
    encoded = [path for files in lists for path in files.encoded(np.arange(len(index)))]
    return [Path(path) for path in {one.tobytes().rstrip(b"\0").decode() for one in encoded}]


def epochs_of(config: Config, split: str, stack: ExitStack) -> Epoch:
    loader = stack.enter_context(build_loader(config, split=split, training=True))
    return lambda: sum(len(images) for images, _ in loader)


def readings_of(index: PairIndex) -> Epoch:
    """Read everything once, images and labels, in an order drawn anew each time."""
    batches = _batches(index)

    def source() -> list[Any]:
        samples = next(batches)
        lists = (index.images, index.labels)
        paths = [files.encoded(samples) for files in lists]
        return [*paths, *(files.records(samples) for files in lists if index.in_shards)]

    pipeline = Pipeline(batch_size=BATCH, num_threads=2, device_id=None, prefetch_queue_depth=2)
    with pipeline:
        image, label, *records = fn.external_source(
            source=source, num_outputs=4 if index.in_shards else 2
        )
        records = records or [None, None]
        pipeline.set_outputs(
            read_record(image, record=records[0]), read_record(label, record=records[1])
        )
    pipeline.build()
    steps = -(-len(index) // BATCH)

    def epoch() -> int:
        return sum(len(pipeline.run()[0]) for _ in range(steps))

    return epoch


def _batches(index: PairIndex) -> Iterator[np.ndarray[Any, np.dtype[np.int64]]]:
    rng = np.random.default_rng(0)
    while True:
        order = rng.permutation(len(index))
        yield from (order[i : i + BATCH] for i in range(0, len(order), BATCH))


def race(epochs: dict[str, Epoch], rounds: int, prepare: Callable[[], None]) -> dict[str, Any]:
    """Run epochs in turn; return the medians and packed over loose."""
    rates: dict[str, list[float]] = {name: [] for name in epochs}
    for epoch in epochs.values():
        epoch()
    for _ in range(rounds):
        for name, epoch in epochs.items():
            prepare()
            begin = time.perf_counter()
            pairs = epoch()
            rates[name].append(pairs / (time.perf_counter() - begin))
    medians = {name: round(median(found), 1) for name, found in rates.items()}
    spread = {name: [round(min(found), 1), round(max(found), 1)] for name, found in rates.items()}
    ratio = round(medians["packed"] / medians["loose"], 3)
    return {"pairs_per_second": medians, "lowest_and_highest": spread, "packed_over_loose": ratio}


def compare(
    root: Path, split: str, *, crop: tuple[int, int], packs: Path, rounds: int, how: str
) -> dict[str, Any]:
    tree: dict[str, Any] = {
        "augment": {"crop_size": list(crop)},
        "loader": {"batch_size": BATCH, "device": "cpu", "threads": 2},
    }
    configs = {
        "loose": parse_config({**tree, "dataset": {"name": "voc2012", "root": str(root)}}),
        "packed": parse_config({**tree, "dataset": {"name": "packed", "root": str(packs)}}),
    }
    pack_split(configs["loose"], packs, split=split)
    indices = {n: find_index(c.dataset, split) for n, c in configs.items()}
    files = [path for index in indices.values() for path in files_of(index)]
    result: dict[str, Any] = {"pairs": len(indices["loose"]), "crop": list(crop)}
    for cache in "warm", "cold":
        prepare: Callable[[], None] = lambda: None  # noqa: E731
        if cache == "cold":
            prepare = drop_everything if how == "drop_caches" else lambda: drop_files(files)
        with ExitStack() as stack:
            loaders = {name: epochs_of(c, split, stack) for name, c in configs.items()}
            result[f"{cache}_loader"] = race(loaders, rounds, prepare)
        readers = {name: readings_of(index) for name, index in indices.items()}
        result[f"{cache}_reading"] = race(readers, rounds, prepare)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--split", default="trainval")
    parser.add_argument("--small-pairs", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=7)
    # only root may empty the whole cache; otherwise names and inodes of the files stay in it
    may_drop = os.access("/proc/sys/vm/drop_caches", os.W_OK)
    parser.add_argument(
        "--empty-by",
        choices=("drop_caches", "posix_fadvise"),
        default="drop_caches" if may_drop else "posix_fadvise",
        help="how the page cache is emptied",
    )
    parser.add_argument("--work", type=Path, help="where to write the packs; default: a temporary")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.work) as work:
        folder = Path(work)
        write_small(folder / "small", arguments.small_pairs)
        result: dict[str, object] = {
            "cache_emptied_by": arguments.empty_by,
            "rounds": arguments.rounds,
            "voc": compare(
                arguments.root,
                arguments.split,
                crop=(320, 480),
                packs=folder / "voc-packed",
                rounds=arguments.rounds,
                how=arguments.empty_by,
            ),
            "small": compare(
                folder / "small",
                "train",
                crop=(SMALL, SMALL),
                packs=folder / "small-packed",
                rounds=arguments.rounds,
                how=arguments.empty_by,
            ),
        }
    report(result, arguments.out)


if __name__ == "__main__":
    main()
