"""Builds tests/native/decode_labels.cc, with sanitizers, and runs it over files."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 96
SOURCES = Path(__file__).parents[1] / "dali_voc/ops/csrc"


def build(folder: Path) -> Path:
    program = folder / "decode_labels"
    units = [
        SOURCES / f"{name}.cc"
        for name in ("png_chunks", "png_inflate", "png_filters", "png_pixels", "label_decoder")
    ]
    command = ["g++", "-std=c++17", "-O1", "-g", f"-I{SOURCES}", "-o", program]
    command += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    command += [Path(__file__).parent / "native/decode_labels.cc", *units, "-ldeflate"]
    subprocess.run(command, check=True)
    return program


def run(program: Path, paths: Sequence[Path]) -> list[npt.NDArray[np.uint8] | str]:
    """Per file: its values [height, width], at most 96 x 96 of them, or why it was refused."""
    done = subprocess.run(
        [str(program)],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    results: list[npt.NDArray[np.uint8] | str] = []
    for line in done.stdout.splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "refused":
            results.append(rest)
            continue
        height, width, values = rest.split(" ")
        full = np.frombuffer(bytes.fromhex(values), np.uint8).reshape(SIDE, SIDE)
        results.append(full[: int(height), : int(width)])
    assert len(results) == len(paths)
    return results
