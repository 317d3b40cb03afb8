"""All GPU kernels as the driver gets them: for every GPU and driver that DALI takes, and lean."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nvidia
import pytest

from dali_voc.ops import _kernels

# The first and the last that DALI 2.4.0 has machine code for.
ARCHITECTURES = "sm_50", "sm_120"


def ptxas() -> Path:
    """The assembler, from the wheel nvidia-cuda-nvcc-cu12."""
    for root in nvidia.__path__:
        if (program := Path(root, "cuda_nvcc/bin/ptxas")).is_file():
            return program
    raise FileNotFoundError("ptxas: pip install nvidia-cuda-nvcc-cu12")


@pytest.mark.parametrize("image", sorted(_kernels.ptx_images()))
def test_driver_525_takes_it(image: str) -> None:
    ptx = _kernels.ptx_images()[image]
    assert re.search(r"^\.version 8\.0$", ptx, re.MULTILINE)
    assert re.search(r"^\.target sm_50$", ptx, re.MULTILINE)
    assert ".visible .entry" in ptx
    # rounding as on the CPU
    assert "fma." not in ptx


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("image", sorted(_kernels.ptx_images()))
def test_nothing_spills_into_local_memory(image: str, architecture: str, tmp_path: Path) -> None:
    source = tmp_path / f"{image}.ptx"
    source.write_text(_kernels.ptx_images()[image])
    command = [ptxas(), "-v", f"-arch={architecture}", source, "-o", tmp_path / "out.cubin"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kernels = re.findall(r"Compiling entry function '(\w+)'", done.stderr)
    used = re.findall(
        r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", done.stderr
    )
    assert len(kernels) == len(used) > 0
    assert set(used) == {("0", "0", "0")}, dict(zip(kernels, used, strict=True))
