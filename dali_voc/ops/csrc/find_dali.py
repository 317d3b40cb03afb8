"""Prints what CMake needs of the installed DALI, one fact a line.

Version, library directory, C++ ABI flag, then the include directories: DALI's own and those of the
CUDA wheels that its headers include.
"""

import importlib.metadata
import pathlib
import sys

import nvidia
import nvidia.dali.backend
import nvidia.dali.sysconfig

CUDA_WHEELS = ("cuda_runtime", "cuda_nvcc", "cuda_cccl")


def main() -> None:
    """Print them, or say what is missing."""
    includes = [nvidia.dali.sysconfig.get_include_dir()]
    for name in CUDA_WHEELS:
        found = [
            p for root in nvidia.__path__ if (p := pathlib.Path(root, name, "include")).is_dir()
        ]
        if not found:
            sys.exit(f"pip install nvidia-{name.replace('_', '-')}-cu12: its headers are missing")
        includes.append(str(found[0]))
    print(importlib.metadata.version("nvidia-dali-cuda120"))
    print(nvidia.dali.sysconfig.get_lib_dir())
    print(nvidia.dali.backend.GetCxx11AbiFlag())
    print("\n".join(includes))


if __name__ == "__main__":
    main()
