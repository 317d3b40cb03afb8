"""The library rounds after each operation, as the kernels do, whatever the processor can fuse."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COMPILERS = {
    "x86_64": ["g++", "-march=x86-64-v3"],
    "aarch64": ["aarch64-linux-gnu-g++" if platform.machine() != "aarch64" else "g++"],
}


@pytest.mark.parametrize("processor", COMPILERS)
def test_products_are_not_fused_with_sums(processor: str, tmp_path: Path) -> None:
    command = COMPILERS[processor]
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]} is installed")
    text = (ROOT / "CMakeLists.txt").read_text()
    options = re.findall(r"target_compile_options\(dali_voc_ops PRIVATE (-Wall.*)\)", text)
    assert len(options) == 1
    source = ROOT / "dali_voc/ops/csrc/sum_rows.cc"
    output = tmp_path / "sum_rows.s"

    def fused(flags: list[str]) -> list[str]:
        subprocess.run([*command, "-std=gnu++17", *flags, "-S", source, "-o", output], check=True)
        return re.findall(
            r"\b(?:vfn?m(?:add|sub)\w*|fn?madd|fn?msub|fmla|fmls)\b", output.read_text()
        )

    assert not fused(options[0].split())
    assert fused(["-O3"])  # the compiler would
