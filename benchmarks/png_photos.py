"""PNG photographs: our decoder beside DALI's, whole pictures and random crops.

    python benchmarks/png_photos.py --photos PHOTO.png [PHOTO.png ...] --out FILE.json

Pipelines of two threads that do nothing but decode, timed in turn, round after round, on the same
windows: ours gives the window alone; DALI's decodes the picture, or the window by `image_slice`.
Both give the same pixels (exit code 1 otherwise). `share_of_inflating` is the time that libdeflate
alone takes to inflate the picture whole, on one thread, by that of our whole decoding on one.
"""

from __future__ import annotations

import argparse
import ctypes
import ctypes.util
import functools
import statistics
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from nvidia.dali import Pipeline, fn
from PIL import Image
from results_file import report

from dali_voc.ops import decode_crop

BATCH = 16
CROPS = ((512, 1024), (768, 768))
Bytes = npt.NDArray[np.uint8]
Run = Callable[[], tuple[int, float]]  # pictures, and seconds


class Windows:
    """A photograph and windows of it, [n, 4]: row, column, height, width; again and again."""

    def __init__(self, file: Bytes, bounds: npt.NDArray[np.int32]) -> None:
        self._inputs = [
            [file] * len(bounds),
            [np.frombuffer(b"photo", np.uint8)] * len(bounds),
            list(bounds[:, :2].copy()),
            list(bounds[:, 2:].copy()),
            [np.zeros((1, 1, 3), np.uint8)] * len(bounds),
        ]
        self.bounds = bounds

    def pipeline(self, way: str, threads: int) -> Pipeline:
        """Decode by "ours", "image_slice", or "image": the whole picture."""
        pipeline = Pipeline(
            batch_size=len(self.bounds),
            num_threads=threads,
            device_id=None,
            prefetch_queue_depth=1,
        )
        with pipeline:
            file, name, start, shape, nothing = fn.external_source(
                source=lambda: self._inputs, num_outputs=5, layout=[None, None, None, None, "HWC"]
            )
            options: dict[str, Any] = {"device": "cpu", "adjust_orientation": False}
            if way == "ours":
                plain = {"mean": (0, 0, 0), "std": (1, 1, 1), "dtype": "uint8"}
                options = {"crop_size": None, "channels_last": True, **plain}
                image = decode_crop(file, name, nothing, start=start, shape=shape, **options)
            elif way == "image_slice":
                image = fn.decoders.image_slice(
                    file, start=start, shape=shape, axes=(0, 1), **options
                )
            else:
                image = fn.decoders.image(file, **options)
            pipeline.set_outputs(image)
        pipeline.build()
        return pipeline


def random_windows(
    rng: np.random.Generator, size: tuple[int, int], crop: tuple[int, int]
) -> npt.NDArray[np.int32]:
    crop = (min(crop[0], size[0]), min(crop[1], size[1]))
    starts = [rng.integers(0, size[axis] - crop[axis] + 1, BATCH) for axis in (0, 1)]
    sides = [np.full(BATCH, side) for side in crop]
    return np.stack([*starts, *sides], axis=1).astype(np.int32)


def race(runs: dict[str, Run], rounds: int) -> dict[str, dict[str, Any]]:
    """Time all in turn."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            pictures, seconds = run()
            if number:  # the first is for warming up
                times[name].append(seconds / pictures * 1e3)
    return {
        name: {"ms_per_picture": statistics.median(values), "rounds": values}
        for name, values in times.items()
    }


def run_pipeline(pipeline: Any) -> tuple[int, float]:
    begin = time.perf_counter()
    (pictures,) = pipeline.run()
    return len(pictures), time.perf_counter() - begin


def are_windows_of(
    picture: Bytes, bounds: npt.NDArray[np.int32], found: Any, *, whole: bool
) -> bool:
    """Return whether what was found has the pixels of the windows; `whole`: it is cut first."""
    same = True
    for i, (y, x, height, width) in enumerate(bounds):
        window = (slice(y, y + height), slice(x, x + width))
        pixels = np.array(found[i])
        same &= np.array_equal(pixels[window] if whole else pixels, picture[window])
    return bool(same)


def compare(
    windows: Windows, picture: Bytes, ways: tuple[str, ...], *, rounds: int, threads: int
) -> dict[str, Any]:
    """Milliseconds per picture of each way: the rounds, their medians, and the ratios."""
    pipelines = {way: windows.pipeline(way, threads) for way in ways}
    same = all(
        are_windows_of(picture, windows.bounds, pipeline.run()[0], whole=way == "image")
        for way, pipeline in pipelines.items()
    )
    runs: dict[str, Run] = {
        way: functools.partial(run_pipeline, pipeline) for way, pipeline in pipelines.items()
    }
    found = race(runs, rounds)
    medians = {way: row["ms_per_picture"] for way, row in found.items()}
    return {
        "ms_per_picture": medians,
        "times_as_fast_as": {way: medians[way] / medians["ours"] for way in ways[1:]},
        "same_pixels": same,
        "rounds": {way: row["rounds"] for way, row in found.items()},
    }


def inflate_alone(file: Bytes, raw_size: int, rounds: int) -> float:
    """Milliseconds of libdeflate on one thread, in a buffer that is used again."""
    library = ctypes.CDLL(ctypes.util.find_library("deflate") or "libdeflate.so.0")
    library.libdeflate_alloc_decompressor.restype = ctypes.c_void_p
    text, at, parts = file.tobytes(), 8, []
    while at < len(text):
        (length,) = struct.unpack(">I", text[at : at + 4])
        if text[at + 4 : at + 8] == b"IDAT":
            parts.append(text[at + 8 : at + 8 + length])
        at += 12 + length
    data, out = b"".join(parts), ctypes.create_string_buffer(raw_size)
    machine = ctypes.c_void_p(library.libdeflate_alloc_decompressor())
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        failed = library.libdeflate_zlib_decompress(
            machine, data, ctypes.c_size_t(len(data)), out, ctypes.c_size_t(raw_size), None
        )
        times.append((time.perf_counter() - begin) * 1e3)
        assert not failed
    return statistics.median(times)


def measure(path: Path, *, rounds: int, rng: np.random.Generator) -> dict[str, Any]:
    file = np.fromfile(path, np.uint8)
    with Image.open(path) as image:
        width, height = image.size
        expected = np.array(image.convert("RGB"))
        raw_size = height * (width * len(image.getbands()) + 1)
    whole = Windows(file, np.array([[0, 0, height, width]] * BATCH, np.int32))
    (pixels,) = whole.pipeline("ours", 2).run()
    found: dict[str, Any] = {
        "size": [height, width],
        "bytes": len(file),
        "equal_to_pillow": bool(np.array_equal(np.array(pixels[0]), expected)),
        "whole": compare(whole, expected, ("ours", "image"), rounds=rounds, threads=2),
    }
    for crop in CROPS:
        if crop[0] <= height and crop[1] <= width:
            windows = Windows(file, random_windows(rng, (height, width), crop))
            found[f"crop {crop[0]}x{crop[1]}"] = compare(
                windows, expected, ("ours", "image_slice", "image"), rounds=rounds, threads=2
            )
    alone = compare(whole, expected, ("ours", "image"), rounds=rounds, threads=1)["ms_per_picture"]
    inflating = inflate_alone(file, raw_size, rounds * 4)
    found["one_thread"] = {
        "inflating_alone_ms": inflating,
        "ours_ms": alone["ours"],
        "dali_ms": alone["image"],
        "share_of_inflating": inflating / alone["ours"],
    }
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path, nargs="+", required=True, help="8-bit PNG files")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    photos = {path.name: measure(path, rounds=options.rounds, rng=rng) for path in options.photos}
    sound = all(
        photo["equal_to_pillow"]
        and all(part.get("same_pixels", True) for part in photo.values() if isinstance(part, dict))
        for photo in photos.values()
    )
    report({"batch": BATCH, "photos": photos, "same_pixels_everywhere": sound}, options.out)
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
