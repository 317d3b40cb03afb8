"""Windows of large JPEG photographs, with and without restart markers, and the loader on such.

    python benchmarks/large_photos.py --root VOC2012 --out FILE.json

Photographs are put together from VOC's pictures, enlarged twice. "windows" is decoding alone,
random windows in pipelines of two threads: ours, DALI's `image_slice`, and DALI's whole pictures;
"restarts" is the same photograph by `dali_voc.packing.add_jpeg_restarts`. "loader" is the whole
loader on pairs, from loose files and from packs. All are timed in turn, round after round; all
windows of a photograph have the same pixels, and all epochs the same batches (exit code 1
otherwise).
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from png_photos import BATCH, Run, Windows, are_windows_of, race, random_windows, run_pipeline
from results_file import report
from scaling.pictures import write_many_names

from dali_voc import Config, Loader, build_loader, parse_config
from dali_voc.packing import add_jpeg_restarts, pack_split

SIZES = {"640x480": (480, 640), "2000x1500": (1500, 2000), "4000x3000": (3000, 4000)}
CROPS = {"640x480": (320, 320), "2000x1500": (512, 512), "4000x3000": (512, 512)}
ENLARGED = 2
NAMES = 16  # of each of the loader's pairs: an epoch is longer than what is made ahead
AHEAD = 4  # batches that may have been made before an epoch is timed


def mosaic(root: Path, ids: list[str], size: tuple[int, int], first: int) -> list[Image.Image]:
    """Return a photograph and its label of `size`, from pairs that begin with the `first`."""
    with Image.open(root / f"SegmentationClass/{ids[0]}.png") as any_label:
        palette = any_label.getpalette()
    photo, label = Image.new("RGB", size[::-1]), Image.new("P", size[::-1])
    label.putpalette(palette or [])
    number, y = first, 0
    while y < size[0]:
        x = 0
        while x < size[1]:
            name = ids[number % len(ids)]
            number += 1
            with (
                Image.open(root / f"JPEGImages/{name}.jpg") as picture,
                Image.open(root / f"SegmentationClass/{name}.png") as classes,
            ):
                larger = (ENLARGED * picture.width, ENLARGED * picture.height)
                photo.paste(picture.resize(larger, Image.Resampling.LANCZOS), (x, y))
                label.paste(classes.resize(larger, Image.Resampling.NEAREST), (x, y))
            x += larger[0]
        y += 333 * ENLARGED
    return [photo, label]


def run_epoch(loader: Loader) -> tuple[int, float]:
    batches = iter(loader)
    for _ in range(AHEAD):
        next(batches)
    begin = time.perf_counter()
    return sum(len(images) for images, _ in batches), time.perf_counter() - begin


def measure_windows(
    photo: Image.Image, crop: tuple[int, int], *, rounds: int, rng: np.random.Generator
) -> dict[str, Any]:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=90)
    plain = buffer.getvalue()
    files = {"plain": plain, "restarts": add_jpeg_restarts(plain)}
    bounds = random_windows(rng, (photo.height, photo.width), crop)
    expected = np.array(Image.open(io.BytesIO(plain)))
    runs: dict[str, Run] = {}
    same = True
    for kind, file in files.items():
        windows = Windows(np.frombuffer(file, np.uint8), bounds)
        for way in ("ours", "image_slice", "image"):
            pipeline = windows.pipeline(way, 2)
            (found,) = pipeline.run()
            same &= are_windows_of(expected, bounds, found, whole=way == "image")
            runs[f"{way}, {kind}"] = functools.partial(run_pipeline, pipeline)
    found = race(runs, rounds)
    ours = found["ours, restarts"]["ms_per_picture"]
    return {
        "crop": list(crop),
        "bytes": {kind: len(file) for kind, file in files.items()},
        "ways": found,
        "ours_with_restarts_times_as_fast_as": {
            name: row["ms_per_picture"] / ours for name, row in found.items()
        },
        "same_pixels": bool(same),
    }


def write_pairs(root: Path, source: Path, ids: list[str], pairs: int) -> None:
    for folder in "JPEGImages", "SegmentationClass":
        (root / folder).mkdir(parents=True)
    for i in range(pairs):
        photo, label = mosaic(source, ids, SIZES["4000x3000"], first=40 * i)
        photo.save(root / f"JPEGImages/large_{i:03d}.jpg", quality=90)
        label.save(root / f"SegmentationClass/large_{i:03d}.png")


def labelled_ids(root: Path) -> list[str]:
    """Return the names of VOC's pairs that are there."""
    ids = (root / "ImageSets/Segmentation/trainval.txt").read_text().split()
    return [name for name in ids if (root / f"SegmentationClass/{name}.png").is_file()]


def copy_with_restarts(pairs: Path, to: Path) -> None:
    """Write the same pairs, with restart markers in their photographs."""
    shutil.copytree(pairs, to)
    for path in (to / "JPEGImages").iterdir():
        path.write_bytes(add_jpeg_restarts(path.read_bytes()))


def measure_loader(
    source: Path, ids: list[str], folder: Path, *, pairs: int, rounds: int
) -> dict[str, Any]:
    write_pairs(folder / "photos", source, ids, pairs)
    copy_with_restarts(folder / "photos", folder / "photos-restarts")
    for kind in "", "-restarts":
        write_many_names(
            folder / f"voc{kind}", source=folder / f"photos{kind}", count=NAMES * pairs
        )
    loose = {"name": "voc2012", "root": str(folder / "voc")}
    for kind in "plain", "restarts":
        config = parse_config({"dataset": loose, "loader": {"device": "cpu"}})
        pack_split(config, folder / kind, jpeg_restarts=kind == "restarts")
    roots: dict[str, dict[str, str]] = {
        "loose files": loose,
        "loose files with restarts": {**loose, "root": str(folder / "voc-restarts")},
        "pack": {"name": "packed", "root": str(folder / "plain")},
        "pack with restarts": {"name": "packed", "root": str(folder / "restarts")},
    }
    result: dict[str, Any] = {"pairs": pairs, "names_of_each": NAMES, "same_batches": True}
    for title, augment in {
        "crop 512x512, flip": {"crop_size": [512, 512]},
        "and scale 0.5 to 2": {"crop_size": [512, 512], "scale": [0.5, 2.0]},
    }.items():
        configs = {
            name: parse_config(
                {
                    "dataset": dataset,
                    "augment": augment,
                    "loader": {"device": "cpu", "batch_size": 4},
                }
            )
            for name, dataset in roots.items()
        }
        result["same_batches"] &= len({digest(config) for config in configs.values()}) == 1
        with ExitStack() as stack:
            loaders = {
                name: stack.enter_context(build_loader(config)) for name, config in configs.items()
            }
            runs: dict[str, Run] = {
                name: functools.partial(run_epoch, loader) for name, loader in loaders.items()
            }
            result[title] = race(runs, rounds)
    return result


def digest(config: Config) -> str:
    found = hashlib.sha256()
    with build_loader(config) as loader:
        for batch in loader:
            for tensor in batch:
                array: npt.NDArray[Any] = tensor.numpy()
                found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--pairs", type=int, default=12, help="of the loader's data set")
    parser.add_argument("--out", type=Path, help="write the result here as JSON")
    options = parser.parse_args()
    ids = labelled_ids(options.root)
    rng = np.random.default_rng(0)
    windows = {
        name: measure_windows(
            mosaic(options.root, ids, size, first=0)[0], CROPS[name], rounds=options.rounds, rng=rng
        )
        for name, size in SIZES.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        loader = measure_loader(
            options.root, ids, Path(folder), pairs=options.pairs, rounds=options.rounds
        )
    report({"batch": BATCH, "windows": windows, "loader": loader}, options.out)
    sound = loader["same_batches"] and all(part["same_pixels"] for part in windows.values())
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
