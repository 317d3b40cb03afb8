"""What is measured in a process of its own: `python -m benchmarks.scaling.probes NAME ...`."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["first_batch", "planning", "rate"]


def rate(root: str, split: str, seconds: str, settings: str) -> dict[str, Any]:
    """Pairs per second, and CPU milliseconds per pair, after two seconds of warming up."""
    from dali_voc import build_loader, parse_config  # noqa: PLC0415

    tree = json.loads(settings)
    tree["dataset"] = {"root": root}
    tree.setdefault("loader", {}).setdefault("device", "cpu")
    with build_loader(parse_config(tree), split=split, training=True) as loader:
        sizes = (len(images) for _ in itertools.count() for images, _ in loader)
        _consume(sizes, seconds=2.0)
        cpu = time.process_time()
        pairs, elapsed = _consume(sizes, seconds=float(seconds))
        cpu = time.process_time() - cpu
    return {"pairs_per_second": pairs / elapsed, "cpu_ms_per_pair": 1e3 * cpu / pairs}


def _consume(sizes: Iterator[int], *, seconds: float) -> tuple[int, float]:
    begin, pairs = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        pairs += next(sizes)
    return pairs, time.perf_counter() - begin


def first_batch(root: str, split: str, settings: str) -> dict[str, Any]:
    """Seconds from the call of `build_loader` to the first batch, and of the imports before it."""
    begin = time.perf_counter()
    import torch  # noqa: F401, PLC0415

    torch_imported = time.perf_counter()
    from dali_voc import build_loader, parse_config  # noqa: PLC0415

    imported = time.perf_counter()
    tree = json.loads(settings)
    tree["dataset"] = {"root": root}
    with build_loader(parse_config(tree), split=split, training=True) as loader:
        next(iter(loader))
        done = time.perf_counter()
    return {
        "import_torch": torch_imported - begin,
        "import_dali_voc": imported - torch_imported,
        "build_loader_to_first_batch": done - imported,
        "all": done - begin,
    }


def planning(count: str) -> dict[str, Any]:
    """Time and memory per sample of the index and of an epoch's plan; no file is read."""
    from dali_voc._batches import BatchKey, BatchPlan  # noqa: PLC0415
    from dali_voc._substitutes import Substitutes  # noqa: PLC0415
    from dali_voc.config import parse_config  # noqa: PLC0415
    from dali_voc.datasets import PairIndex  # noqa: PLC0415
    from dali_voc.datasets._path_list import PathList  # noqa: PLC0415
    from dali_voc.datasets.voc import VOC_SPEC  # noqa: PLC0415

    n = int(count)
    config = parse_config({"dataset": {"root": "."}, "loader": {"device": "cpu"}})

    def plan(samples: int) -> Any:
        whole = BatchPlan.from_config(config, num_samples=samples, training=True)
        return whole.from_here(BatchKey(epoch=0), Substitutes(seed=0, num_samples=samples))

    next(plan(1000))  # what the first call loads is not the data set's
    before = _rss()
    begin = time.perf_counter()
    names = (f"2007_{i:06d}" for i in range(n))
    images = PathList(names, prefix="/data/VOC2012/JPEGImages/", suffix=".jpg")
    names = (f"2007_{i:06d}" for i in range(n))
    labels = PathList(names, prefix="/data/VOC2012/SegmentationClass/", suffix=".png")
    index = PairIndex(images=images, labels=labels, spec=VOC_SPEC)
    indexed = time.perf_counter()
    batches = plan(len(index))
    next(batches)
    first = time.perf_counter()
    held = _rss() - before
    size = config.loader.batch_size
    for _ in range(n // size - 1):
        next(batches)
    done = time.perf_counter()
    return {
        "samples": n,
        "index_us_per_sample": 1e6 * (indexed - begin) / n,
        "order_us_per_sample": 1e6 * (first - indexed) / n,
        "batches_us_per_sample": 1e6 * (done - first) / (n - size),
        "bytes_per_sample": held / n,
        "peak_bytes_per_sample": (_peak_rss() - before) / n,
    }


def _rss() -> int:
    return _status("VmRSS")


def _peak_rss() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return 1024 * int(line.split()[1])
    raise KeyError(key)


if __name__ == "__main__":
    probes = {"rate": rate, "first_batch": first_batch, "planning": planning}
    print(json.dumps(probes[sys.argv[1]](*sys.argv[2:])))
