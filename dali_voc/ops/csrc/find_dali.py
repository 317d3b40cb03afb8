"""Prints what CMake needs of the installed DALI, one fact a line.

Version, library directory, C++ ABI flag, then the include directories: DALI's own and those of the
wheels that its headers and ours include.
"""

import importlib.metadata
import pathlib
import sys

import nvidia
import nvidia.dali.backend
import nvidia.dali.sysconfig

# packages, and the folders that they unpack to
WHEELS = {
    "nvidia-cuda-runtime-cu12": "cuda_runtime",
    "nvidia-cuda-nvcc-cu12": "cuda_nvcc",
    "nvidia-cuda-cccl-cu12": "cuda_cccl",
    "nvidia-libnvcomp-cu12": "libnvcomp",
}


def main() -> None:
    """Print them, or say what is missing."""
    includes = [nvidia.dali.sysconfig.get_include_dir()]
    for package, name in WHEELS.items():
        found = [
            p for root in nvidia.__path__ if (p := pathlib.Path(root, name, "include")).is_dir()
        ]
        if not found:
            sys.exit(f"pip install {package}: its headers are missing")
        includes.append(str(found[0]))
    print(importlib.metadata.version("nvidia-dali-cuda120"))
    print(nvidia.dali.sysconfig.get_lib_dir())
    print(nvidia.dali.backend.GetCxx11AbiFlag())
    print("\n".join(includes))


if __name__ == "__main__":
    main()
