"""The ways beside each other: the same pixels, and how fast."""

from __future__ import annotations

import contextlib
import functools
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchmarks.gpu_png.ways import ByKernels, InPipeline
from benchmarks.gpu_png.work import Work, make_label, make_photo, make_work, truth
from dali_voc.ops.experimental import nvcomp_path

__all__ = ["DRY_SIZES", "SIZES", "measure"]

_TESTS = Path(__file__).parents[2] / "tests"
SIZES = {"photographs": (1, 4, 16, 64, 256), "labels": (16, 64, 256, 1024)}  # of batches
DRY_SIZES = (1, 3)
_DISTINCT = 8


def _time(ways: dict[str, Any], *, device: torch.device, rounds: int, seconds: float) -> Any:
    """Seconds per batch, for each way round by round."""

    def once(way: Any, repeats: int) -> float:
        begin = time.perf_counter()
        for _ in range(repeats):
            way.run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return (time.perf_counter() - begin) / repeats

    # the first warms up; pipelines have batches ready
    repeats = {}
    for name, way in ways.items():
        once(way, 3)
        repeats[name] = max(3, min(200, int(seconds / once(way, 3))))
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            times[name].append(once(way, repeats[name]))
    return times


def _compare(
    work: Work,
    *,
    nvcomp: Path,
    device: torch.device,
    threads: int,
    rounds: int,
    seconds: float,
) -> dict[str, Any]:
    kernels = {"nvcomp": nvcomp, "threads": threads, "device": device}
    ways: dict[str, Any] = {"cpu": InPipeline(work, way="cpu", threads=threads, device=device)}
    if device.type == "cuda":
        ways["operator"] = InPipeline(work, way="operator", threads=threads, device=device)
    ways["kernels"] = ByKernels(work, pixel=False, **kernels)
    pixels_of = [truth(file, is_label=work.is_label) for file in work.files[:_DISTINCT]]
    same = {
        name: all(
            np.array_equal(pixels, pixels_of[i % len(pixels_of)])
            for i, pixels in enumerate(way.pixels())
        )
        for name, way in ways.items()
    }
    ways["inflating"] = ByKernels(work, pixel=True, **kernels)
    times = _time(ways, device=device, rounds=rounds, seconds=seconds)
    n = len(work.files)
    rates = {name: n / statistics.median(values) for name, values in times.items()}
    return {
        "same_pixels": same,
        "pictures_per_second": rates,
        "times_the_cpu": {name: rates[name] / rates["cpu"] for name in ways if name != "inflating"},
        "seconds_per_batch": times,
    }


@functools.cache
def _made_up(kind: str, *, small: bool) -> tuple[npt.NDArray[np.uint8], ...]:
    """Return files of Cityscapes' size and bytes, or labels of VOC's."""
    rng = np.random.default_rng(0)
    if kind == "labels":
        size = (50, 37) if small else (500, 375)
        return tuple(make_label(rng, size=size) for _ in range(_DISTINCT))
    height, width = (40, 64) if small else (1024, 2048)
    return tuple(make_photo(rng, height=height, width=width) for _ in range(_DISTINCT))


def _tests() -> None:
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))


@contextlib.contextmanager
def _inflater(device: torch.device) -> Iterator[Path]:
    """Which nvCOMP; on a CPU the tests' own, and their CUDA driver."""
    if device.type == "cuda":
        yield nvcomp_path()
        return
    _tests()
    from cuda_on_cpu import build_nvcomp, cuda_on_cpu  # noqa: PLC0415

    with cuda_on_cpu():
        yield build_nvcomp()


def measure(
    device: torch.device,
    *,
    kinds: Sequence[str] = tuple(SIZES),
    sizes: Sequence[int] | None = None,
    photos: Sequence[Path] = (),
    threads: int | None = None,
    rounds: int = 5,
    seconds: float = 1.0,
    note: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare the ways on a device.

    Args:
        device: a GPU; a CPU runs through with stand-ins for GPU and nvCOMP, on small files.
        kinds: "photographs", "labels" or both.
        sizes: of batches; None: those of the kind.
        photos: RGB PNG files, 8 bits; none: made-up ones with Cityscapes' size and bytes.
        threads: of the host; None: all cores.
        rounds: each way is timed so often.
        seconds: about as long as a way takes in a round.
        note: takes what has been found so far, after each batch size.

    Returns:
        Fit for JSON: for each kind what they are, and per batch size rates, pictures per second,
        and their ratios to that of the CPU; "same_pixels_everywhere"; and for each kind "wins",
        whether the operator is faster than the CPU's way at every batch size, which is empty
        without a GPU.
    """
    threads = threads or len(os.sched_getaffinity(0))
    real = device.type == "cuda"
    found: dict[str, Any] = {"threads": threads, "nvcomp": "real" if real else "the tests' own"}
    with _inflater(device) as nvcomp:
        for kind in kinds:
            swept = sizes or (SIZES[kind] if real else DRY_SIZES)
            given = [np.fromfile(path, np.uint8) for path in photos[:_DISTINCT]]
            if kind == "labels" or not given:
                given = list(_made_up(kind, small=not real))
            work = make_work(given, max(swept), is_label=kind == "labels")
            found[kind] = {
                "sizes": sorted(set(work.sizes)),
                "bytes_per_file": statistics.mean(file.size for file in given),
                "batches": {},
            }
            for n in swept:
                found[kind]["batches"][str(n)] = _compare(
                    work.first(n),
                    nvcomp=nvcomp,
                    device=device,
                    threads=threads,
                    rounds=rounds,
                    seconds=seconds,
                )
                note(found)
    results = {kind: list(found[kind]["batches"].values()) for kind in kinds}
    found["same_pixels_everywhere"] = all(
        all(result["same_pixels"].values()) for part in results.values() for result in part
    )
    found["wins"] = {
        kind: all(result["times_the_cpu"]["operator"] > 1 for result in part)
        for kind, part in results.items()
        if real
    }
    return found
