"""PNG decoded by nvCOMP and our kernels on a GPU, against our CPU decoder and a copy to the GPU.

    python -m benchmarks.gpu_png [--photos PHOTO.png ...] --out FILE.json
    python -m benchmarks.gpu_png --dry-run

Whole photographs of 2048 x 1024 pixels, RGB, and whole labels of VOC's size and form, each batch
many copies of a few files in pinned or DALI's own memory; the batch is swept. Four ways, timed in
turn, round after round:

- `cpu`: decode_crop or decode_label in a DALI pipeline of all cores, and the copy to the GPU;
- `operator`: decode_png or decode_png_label in a DALI pipeline of as many threads;
- `kernels`: the same work without DALI: check, copy, inflate, undo the filters, write pixels;
- `inflating`: that for a window of one pixel, which leaves checking, copying and inflating.

Each gives the same pixels, compared before anything is timed (exit code 1 otherwise). On a CPU,
--dry-run, nvCOMP and the CUDA driver are those of the tests, files are small, and figures mean
nothing; there is no operator there.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nvidia.dali import Pipeline, fn
from PIL import Image

from benchmarks.results_file import report
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.labels import LabelTables
from dali_voc.ops import check_png, decode_crop, decode_label, decode_png, decode_png_label
from dali_voc.ops._kernels import PngClasses
from dali_voc.ops._kernels import decode_png as decode_by_kernels
from dali_voc.ops._png import nvcomp_path
from dali_voc.synthetic import draw_pair

__all__ = ["measure"]

Bytes = npt.NDArray[np.uint8]

ROOT = Path(__file__).parents[1]
(TABLES,) = LabelTables.build(VOC_SPEC, ignore_index=255)
BATCHES = {"photographs": (1, 4, 16, 64, 256), "labels": (16, 64, 256, 1024)}
DRY_BATCHES = (1, 3)
DISTINCT = 8
NOISE = 0.5  # with which they have Cityscapes' 2.3 MB


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is decoded.

    Attributes:
        files: as many as there are in the largest batch.
        sizes: height and width of each, pixels.
        is_label: labels to classes; else photographs to RGB.
    """

    files: list[Bytes]
    sizes: list[tuple[int, int]]
    is_label: bool

    def first(self, n: int) -> Work:
        return Work(files=self.files[:n], sizes=self.sizes[:n], is_label=self.is_label)

    @property
    def scratch(self) -> int:
        """Bytes of device memory that decoding takes, with room to spare."""
        pixels = sum(h * (w + 16) for h, w in self.sizes) * (1 if self.is_label else 4)
        return 2 * pixels + self.staging + 4096 * len(self.files)

    @property
    def staging(self) -> int:
        """Bytes of host memory from which the files go to the device, likewise."""
        return sum(file.size + 64 for file in self.files) + 2**16


def _encode(picture: Image.Image) -> Bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return np.frombuffer(stream.getvalue(), np.uint8)


def make_photo(rng: np.random.Generator, *, height: int, width: int) -> Bytes:
    """A smooth picture with noise, RGB."""
    coarse = rng.integers(0, 256, (24, 48, 3)).astype(np.uint8)
    smooth = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    noisy = np.asarray(smooth, np.float32) + rng.normal(0, NOISE, (height, width, 1))
    return _encode(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))


def _work(files: Sequence[Bytes], n: int, *, is_label: bool) -> Work:
    sizes = []
    for file in files:
        with Image.open(io.BytesIO(file.tobytes())) as image:
            sizes.append((image.height, image.width))
    return Work(
        files=[files[i % len(files)] for i in range(n)],
        sizes=[sizes[i % len(sizes)] for i in range(n)],
        is_label=is_label,
    )


def _truth(file: Bytes, *, is_label: bool) -> npt.NDArray[np.uint8]:
    with Image.open(io.BytesIO(file.tobytes())) as image:
        # VOC's palette indices are its classes
        return np.array(image if is_label else image.convert("RGB"))


class InPipeline:
    """A DALI pipeline that decodes the same batch again and again."""

    def __init__(self, work: Work, *, way: str, threads: int, device: torch.device) -> None:
        self._device = device
        on_gpu = device.type == "cuda"
        whole = [np.array(size, np.int32) for size in work.sizes]
        inputs = [
            work.files,
            [np.frombuffer(b"file", np.uint8)] * len(work.files),
            whole,
            [np.zeros((1, 1, 3), np.uint8)] * len(work.files),
        ]
        self._pipeline = Pipeline(
            batch_size=len(work.files),
            num_threads=threads,
            device_id=torch.cuda.current_device() if on_gpu else None,
            prefetch_queue_depth=2,
        )
        with self._pipeline:
            file, name, shape, nothing = fn.external_source(
                source=lambda: inputs, num_outputs=4, layout=[None, None, None, "HWC"]
            )
            if way == "operator":
                found = [*_by_operator(file, name, is_label=work.is_label)]
            elif work.is_label:
                nodes = decode_label(file, name, tables=TABLES, crop_size=None)
                found = [nodes.label]
            else:
                found = [
                    decode_crop(
                        *(file, nothing, name),
                        start=[0, 0],
                        shape=shape,
                        crop_size=None,
                        mean=(0, 0, 0),
                        std=(1, 1, 1),
                        dtype="uint8",
                        channels_last=True,
                    )
                ]
            self._pipeline.set_outputs(*[x.gpu() if on_gpu else x for x in found])
        self._pipeline.build()

    def run(self) -> Any:
        return self._pipeline.run()

    def pixels(self) -> list[npt.NDArray[np.uint8]]:
        found = self.run()
        if self._device.type == "cuda":
            found = [output.as_cpu() for output in found]
        if len(found) > 1:
            check_png(found[1].as_array(), ["file"] * len(found[1]))
        return [np.array(found[0][i]) for i in range(len(found[0]))]


def _by_operator(file: Any, name: Any, *, is_label: bool) -> tuple[Any, Any]:
    if is_label:
        return decode_png_label(file, name, tables=TABLES, unknown=255)
    return decode_png(file, name)


class ByKernels:
    """The launcher alone, with memory that is kept."""

    def __init__(
        self, work: Work, *, nvcomp: Path, threads: int, device: torch.device, pixel: bool
    ) -> None:
        on_gpu = device.type == "cuda"
        n = len(work.files)
        self._windows = [(0, 0, 1, 1)] * n if pixel else [(0, 0, *size) for size in work.sizes]
        channels = () if work.is_label else (3,)
        shapes = [(h, w, *channels) for _, _, h, w in self._windows]
        self._out = [torch.empty(shape, dtype=torch.uint8, device=device) for shape in shapes]
        self._reports = torch.empty((n, 4), dtype=torch.int32, device=device)
        self._files = work.files
        self._options: dict[str, Any] = {
            "nvcomp": nvcomp,
            "scratch": torch.empty(work.scratch, dtype=torch.uint8, device=device),
            "host": torch.empty(work.staging, dtype=torch.uint8, pin_memory=on_gpu),
            "classes": PngClasses(tables=TABLES, instead=255) if work.is_label else None,
            "threads": threads,
        }
        self._device = device

    def run(self) -> None:
        stream = 0
        if self._device.type == "cuda":
            stream = torch.cuda.current_stream(self._device).cuda_stream
            # the pinned memory is written again
            torch.cuda.current_stream(self._device).synchronize()
        decode_by_kernels(
            *(self._files, self._out, self._reports),
            windows=self._windows,
            stream=stream,
            **self._options,
        )

    def pixels(self) -> list[npt.NDArray[np.uint8]]:
        self.run()
        check_png(self._reports.cpu().numpy(), ["file"] * len(self._files))
        return [tensor.cpu().numpy() for tensor in self._out]


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
    truth = [_truth(file, is_label=work.is_label) for file in work.files[:DISTINCT]]
    same = {
        name: all(
            np.array_equal(pixels, truth[i % len(truth)]) for i, pixels in enumerate(way.pixels())
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


def _tests() -> None:
    folder = str(ROOT / "tests")
    if folder not in sys.path:
        sys.path.append(folder)


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
    photos: Sequence[Path] = (),
    threads: int | None = None,
    rounds: int = 5,
    seconds: float = 1.0,
    note: Callable[[dict[str, Any]], None] = lambda _: None,
) -> dict[str, Any]:
    """Compare the ways on a device.

    Args:
        device: a GPU; a CPU runs through with stand-ins for GPU and nvCOMP, on small files.
        photos: RGB PNG files, 8 bits; none: made-up ones with Cityscapes' size and bytes.
        threads: of the host; None: all cores.
        rounds: each way is timed so often.
        seconds: about as long as a way takes in a round.
        note: takes what has been found so far, after each batch size.

    Returns:
        Fit for JSON: for "photographs" and "labels" what they are, and per batch size rates,
        pictures per second, and their ratios to that of the CPU; "same_pixels_everywhere"; and
        "wins": where the operator is faster than the CPU's way at every batch size, false without a
        GPU.
    """
    threads = threads or len(os.sched_getaffinity(0))
    real = device.type == "cuda"
    rng = np.random.default_rng(0)
    height, width = (1024, 2048) if real else (40, 64)
    files = [np.fromfile(path, np.uint8) for path in photos]
    files = files or [make_photo(rng, height=height, width=width) for _ in range(DISTINCT)]
    size = (500, 375) if real else (50, 37)
    labels = [_encode(draw_pair(rng, size=size)[1]) for _ in range(DISTINCT)]
    found: dict[str, Any] = {"threads": threads, "nvcomp": "real" if real else "the tests' own"}
    with _inflater(device) as nvcomp:
        for kind, batches in BATCHES.items():
            sizes = batches if real else DRY_BATCHES
            given = files[:DISTINCT] if kind == "photographs" else labels
            work = _work(given, max(sizes), is_label=kind == "labels")
            found[kind] = {
                "sizes": sorted(set(work.sizes)),
                "bytes_per_file": statistics.mean(file.size for file in given),
                "batches": {},
            }
            for n in sizes:
                found[kind]["batches"][str(n)] = _compare(
                    work.first(n),
                    nvcomp=nvcomp,
                    device=device,
                    threads=threads,
                    rounds=rounds,
                    seconds=seconds,
                )
                note(found)
    results = {kind: list(found[kind]["batches"].values()) for kind in BATCHES}
    found["same_pixels_everywhere"] = all(
        all(result["same_pixels"].values()) for part in results.values() for result in part
    )
    found["wins"] = real and {
        kind: all(result["times_the_cpu"]["operator"] > 1 for result in part)
        for kind, part in results.items()
    }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, nargs="+", default=[], help="8-bit PNG files")
    parser.add_argument("--dry-run", action="store_true", help="without a GPU; figures are void")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    if not options.dry_run and not torch.cuda.is_available():
        parser.error("there is no GPU; --dry-run runs through without one")
    device = torch.device("cpu" if options.dry_run else "cuda")
    fast: dict[str, Any] = {"rounds": 2, "seconds": 0.1} if options.dry_run else {}
    result = measure(device, photos=options.photos, **fast)
    report({"dry_run": options.dry_run, **result}, options.out)
    return int(not result["same_pixels_everywhere"])


if __name__ == "__main__":
    sys.exit(main())
