"""Compile posterize.cc to libposterize.so beside it: `python examples/own_operator/build.py`.

Needs g++, the installed DALI, and three wheels with headers that DALI's headers include:
pip install nvidia-cuda-runtime-cu12 nvidia-cuda-nvcc-cu12 nvidia-cuda-cccl-cu12
"""

import subprocess
from pathlib import Path

import nvidia
from nvidia.dali import sysconfig

HERE = Path(__file__).parent
HEADERS = [
    f"-isystem{folder}"
    for root in nvidia.__path__
    for folder in sorted(Path(root).glob("cuda_*/include"))
]

subprocess.run(
    [
        *("g++", "-std=c++17", "-O2", "-shared", "-fPIC", HERE / "posterize.cc"),
        f"-isystem{sysconfig.get_include_dir()}",
        *(*sysconfig.get_compile_flags(), *HEADERS, *sysconfig.get_link_flags()),
        *("-o", HERE / "libposterize.so"),
    ],
    check=True,
)
