"""Builds the programs of tests/native with sanitizers, and runs them over files."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from built_once import built_once

SIDE = 96
SOURCES = Path(__file__).parents[1] / "dali_voc/ops/csrc"


UNITS = {
    "decode_labels": (
        *("png_chunks", "png_inflate", "png_filters", "png_pixels"),
        *("label_runs", "label_map", "label_decoder", "unknown_labels", "sample_cache"),
    ),
    "png_windows": ("png_chunks", "png_inflate", "png_filters", "png_window"),
}


def build(name: str = "decode_labels", *, vectors: bool = True) -> Path:
    """Compile one; without `vectors`, as for a processor other than x86."""

    def compile_units(folder: Path) -> None:
        units = [SOURCES / f"{unit}.cc" for unit in UNITS[name]]
        command = ["g++", "-std=c++17", "-O1", "-g1", f"-I{SOURCES}", "-o", folder / name]
        command += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
        if vectors and platform.machine() == "x86_64":
            command += ["-march=x86-64-v2"]
        command += [Path(__file__).parent / f"native/{name}.cc", *units, "-ldeflate"]
        subprocess.run(command, check=True)

    return built_once(f"{name}{'-vectors' * vectors}", compile_units) / name


def run_lines(program: Path, lines: Sequence[str]) -> list[str]:
    """What the program answers, a line for each of its input."""
    done = subprocess.run(
        [str(program)],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    answers = done.stdout.splitlines()
    assert len(answers) == len(lines)
    return answers


def run(program: Path, paths: Sequence[Path]) -> list[npt.NDArray[np.uint8] | str]:
    """Per file: its values [height, width], at most 96 x 96 of them, or why it was refused."""
    results: list[npt.NDArray[np.uint8] | str] = []
    for line in run_lines(program, [str(path) for path in paths]):
        kind, _, rest = line.partition(" ")
        if kind == "refused":
            results.append(rest)
            continue
        height, width, values = rest.split(" ")
        full = np.frombuffer(bytes.fromhex(values), np.uint8).reshape(SIDE, SIDE)
        results.append(full[: int(height), : int(width)])
    return results
