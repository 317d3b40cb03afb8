"""A CUDA driver that runs our kernels on the host, and memory that ends where it says."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import mmap
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import nvidia
import torch
from built_once import built_once

from dali_voc.ops import _kernels

SOURCES = Path(__file__).parents[1] / "dali_voc/ops/csrc"
NATIVE = Path(__file__).parent / "native/cuda"
# A variable of the environment: kernels are built with ThreadSanitizer, see test_kernel_races.py.
FINDS_RACES = "DALI_VOC_FINDS_RACES"

# folders of the wheels nvidia-cuda-runtime-cu12, nvidia-cuda-nvcc-cu12 and, DALI's own,
# nvidia-libnvcomp-cu12
WHEELS = "cuda_runtime", "cuda_nvcc", "libnvcomp"


def wheel_include(name: str) -> Path:
    """The folder of a wheel's headers."""
    for root in nvidia.__path__:
        if (folder := Path(root, name, "include")).is_dir():
            return folder
    raise FileNotFoundError(f"nvidia/{name}/include: pip install '.[test]'")


def _build(name: str, *sources: str, kernels: Sequence[str] = (), link: Sequence[str] = ()) -> Path:
    """Build a library of sources, `kernels` among the options of the one with the kernels."""
    # as the kernels are compiled: no fused multiply-add
    command = ["g++", "-std=c++17", "-O2", "-fPIC", "-ffp-contract=off", f"-I{SOURCES}"]
    command += ["-fvisibility=hidden", "-Wno-unknown-pragmas"]
    command += ["-U_FORTIFY_SOURCE"]  # whose longjmp knows one stack only
    command += [f"-I{wheel_include(wheel)}" for wheel in WHEELS]

    def compile_all(folder: Path) -> None:
        objects = [folder / f"{source}.o" for source in sources]
        for source, result in zip(sources, objects, strict=True):
            options = kernels if source == "kernels.cc" else ()
            subprocess.run([*command, *options, "-c", NATIVE / source, "-o", result], check=True)
        subprocess.run(["g++", "-shared", *objects, "-o", folder / name, *link], check=True)

    return built_once(name, compile_all) / name


@functools.cache
def build_driver() -> Path:
    """A library with the CUDA driver's functions, for `_kernels.use_driver`."""
    if FINDS_RACES in os.environ:
        options, link = ["-fsanitize=thread", "-g1"], ["-fsanitize=thread"]
    else:
        # words at odd addresses, which a GPU refuses, end the process
        options, link = ["-fsanitize=alignment", "-fsanitize-undefined-trap-on-error"], []
    sources = "driver.cc", "fibers.cc", "kernels.cc"
    return _build("libcuda_on_cpu.so", *sources, kernels=options, link=link)


@functools.cache
def build_nvcomp() -> Path:
    """A library with nvCOMP's functions, for `_kernels.decode_png`."""
    return _build("libnvcomp_on_cpu.so", "nvcomp.cc", link=["-ldeflate"])


@contextlib.contextmanager
def cuda_on_cpu() -> Iterator[ctypes.CDLL]:
    """Launch kernels on the host; gives the driver, for what it has counted."""
    library = build_driver()
    _kernels.use_driver(library)
    try:
        yield ctypes.CDLL(str(library))
    finally:
        _kernels.use_driver(None)


_libc = ctypes.CDLL(None, use_errno=True)
_kept: list[mmap.mmap] = []


def guarded(
    size: int, *, at_end: bool, offset: int = 0, dtype: npt.DTypeLike = np.uint8
) -> torch.Tensor:
    """Bytes between two pages that must not be touched.

    They begin right behind the first (and `offset` bytes), or end right before the second; a kernel
    that reads or writes beside them ends the process.
    """
    page = mmap.PAGESIZE
    nbytes = size * np.dtype(dtype).itemsize
    inner = -(-(nbytes + offset) // page) * page or page
    memory = mmap.mmap(-1, inner + 2 * page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for guard in start, start + page + inner:
        if _libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(page), 0):
            raise OSError(ctypes.get_errno(), "mprotect")
    _kept.append(memory)
    first = page + inner - nbytes - offset if at_end else page + offset
    view = np.frombuffer(memory, np.uint8, count=nbytes, offset=first).view(dtype)
    return torch.from_numpy(view)


def scratch(size: int = 8 << 20) -> torch.Tensor:
    return torch.empty(size, dtype=torch.uint8)
