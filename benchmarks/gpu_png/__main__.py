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
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu_png import measure
from benchmarks.results_file import report


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
