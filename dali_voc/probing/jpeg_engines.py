"""Asks nvJPEG whether the GPU has engines of its own for JPEG."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dali_voc._wheels import library_in
from dali_voc.probing._report import Report

__all__ = ["nvjpeg_path", "probe"]

_HARDWARE = 3  # of nvjpegBackend_t


def nvjpeg_path() -> Path | None:
    """Return nvJPEG's library of the wheel that DALI depends on."""
    return library_in("nvidia.nvjpeg", "lib/libnvjpeg.so.12")


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `engines`: how many; 0 also where nvJPEG's hardware backend does not start."""
    report(stage="asking nvJPEG for the GPU's JPEG engines")
    path = nvjpeg_path()
    nvjpeg = ctypes.CDLL(str(path) if path else "libnvjpeg.so.12")
    handle = ctypes.c_void_p()
    status = nvjpeg.nvjpegCreateEx(_HARDWARE, None, None, 0, ctypes.byref(handle))
    engines, cores = ctypes.c_uint(), ctypes.c_uint()
    if status == 0:
        status = nvjpeg.nvjpegGetHardwareDecoderInfo(
            handle, ctypes.byref(engines), ctypes.byref(cores)
        )
    report(engines=engines.value if status == 0 else 0, status=status)
