"""Compiles the GPU kernels to PTX by NVRTC, and writes a C++ file that holds them.

    compile_kernels.py OUT KERNEL.cu…

NVRTC is a wheel and needs neither a GPU nor a toolkit. PTX is for the oldest GPU that DALI has code
for; the driver compiles it for the one at hand. Products are not contracted into fused
multiply-adds, so that the kernels round as the CPU does.
"""

from __future__ import annotations

import ctypes
import re
import sys
from pathlib import Path

import nvidia

OPTIONS = ("--gpu-architecture=compute_50", "--std=c++17", "-default-device", "-fmad=false")
# NVRTC brings no headers; of the standard library, kernels use these types alone
CSTDINT = """#pragma once
typedef signed char int8_t; typedef unsigned char uint8_t;
typedef short int16_t; typedef unsigned short uint16_t;
typedef int int32_t; typedef unsigned int uint32_t;
typedef long long int64_t; typedef unsigned long long uint64_t;
"""


def load_nvrtc() -> ctypes.CDLL:
    """Return NVRTC from its wheel."""
    for root in nvidia.__path__:
        library = Path(root, "cuda_nvrtc", "lib", "libnvrtc.so.12")
        if library.is_file():
            return ctypes.CDLL(str(library))
    sys.exit("pip install nvidia-cuda-nvrtc-cu12: libnvrtc.so.12 is missing")


def compile_kernel(nvrtc: ctypes.CDLL, source: Path) -> bytes:
    """Return a kernel's PTX, or end with the compiler's messages."""
    program = ctypes.c_void_p()

    def call(function: str, *arguments: object) -> int:
        return int(getattr(nvrtc, function)(*arguments))

    def text(what: str) -> bytes:
        size = ctypes.c_size_t()
        call(f"nvrtcGet{what}Size", program, ctypes.byref(size))
        buffer = ctypes.create_string_buffer(size.value)
        call(f"nvrtcGet{what}", program, buffer)
        return buffer.value

    headers = (ctypes.c_char_p * 1)(CSTDINT.encode())
    names = (ctypes.c_char_p * 1)(b"cstdint")
    code = source.read_bytes()
    call("nvrtcCreateProgram", ctypes.byref(program), code, source.name.encode(), 1, headers, names)
    include = f"--include-path={source.parent.parent}"
    options = [option.encode() for option in (*OPTIONS, include)]
    given = (ctypes.c_char_p * len(options))(*options)
    failed = call("nvrtcCompileProgram", program, len(options), given)
    log = text("ProgramLog").decode().strip()
    if failed:
        sys.exit(f"{source}: NVRTC says\n{log}")
    if log:
        print(log, file=sys.stderr)
    # drivers from 525 on read this version, and newer ones of NVRTC write no more into these
    # kernels; the assembler says so in the tests
    return re.sub(rb"^\.version \S+$", b".version 8.0", text("PTX"), count=1, flags=re.MULTILINE)


def holder(images: dict[str, Path]) -> str:
    """Return C++ that takes the files in as they are."""
    lines = ['#include "gpu/kernel_images.h"', ""]
    for name, path in images.items():
        lines.append(
            f'asm(".section .rodata\\n.global ptx_{name}\\nptx_{name}:\\n.incbin \\"{path}\\"\\n'
            f'.byte 0\\n.previous\\n");'
        )
        lines.append(f'extern "C" __attribute__((visibility("hidden"))) const char ptx_{name}[];')
    lines += ["", "namespace dali_voc {", ""]
    lines.append("const KernelImage kKernelImages[] = {")
    lines += [f'    {{"{name}", ptx_{name}}},' for name in images]
    lines += ["    {nullptr, nullptr}};", "", "}  // namespace dali_voc", ""]
    return "\n".join(lines)


def main() -> None:
    """Compile what the command line names."""
    out, *sources = (Path(argument).resolve() for argument in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    nvrtc = load_nvrtc()
    images = {}
    for source in sources:
        images[source.stem] = out / f"{source.stem}.ptx"
        images[source.stem].write_bytes(compile_kernel(nvrtc, source))
    (out / "kernel_images.cc").write_text(holder(images))


if __name__ == "__main__":
    main()
