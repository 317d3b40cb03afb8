"""How long a label of a packed data set takes to decode, beside the same label as PNG.

One thread, whole labels, no DALI: the native code that the label operator calls. Rounds of the two
forms alternate; figures are medians.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from results_file import report

from dali_voc.packing._label_code import encode_label

HERE = Path(__file__).parent
SOURCES = HERE.parent / "dali_voc/ops/csrc"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the folder VOC2012")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    pngs = sorted((arguments.root / "SegmentationClass").glob("*.png"))
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "label_decoding")
        units = [
            SOURCES / f"{name}.cc"
            for name in ("label_runs", "png_chunks", "png_filters", "png_inflate", "png_pixels")
        ]
        subprocess.run(
            [
                *("g++", "-std=c++17", "-O3", "-march=x86-64-v2", f"-I{SOURCES}", "-o", program),
                *(HERE / "label_decoding.cc", *units, "-ldeflate"),
            ],
            check=True,
        )
        packed = []
        for png in pngs:
            packed.append(Path(folder, png.name))
            packed[-1].write_bytes(encode_label(np.array(Image.open(png))))
        done = subprocess.run(
            [program],
            input="".join(f"{path}\n" for path in (*packed, *pngs)),
            capture_output=True,
            text=True,
            check=True,
        )
        sizes = [sum(path.stat().st_size for path in paths) for paths in (packed, pngs)]
    runs, microseconds, slowest, others, png_microseconds = done.stdout.split()
    as_png = int(others) - len(pngs)
    result: dict[str, object] = {
        "labels": len(pngs),
        "kept_as_runs": int(runs),
        "kept_as_png": as_png,
        "microseconds_per_label": {"packed": float(microseconds), "png": float(png_microseconds)},
        "microseconds_slowest_packed": float(slowest),
        "bytes_per_label": {
            "packed": sizes[0] // len(pngs),
            "png": sizes[1] // len(pngs),
        },
    }
    report(result, arguments.out)


if __name__ == "__main__":
    main()
