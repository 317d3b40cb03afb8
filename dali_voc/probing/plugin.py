"""Loads DALI and the compiled operators, and says which libraries they brought."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dali_voc.errors import PluginError
from dali_voc.probing._report import Report
from dali_voc.probing.jpeg_engines import nvjpeg_path

__all__ = ["probe"]


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `dali`, `plugin`, `built_for`, `libjpeg`, `libdeflate`, `nvjpeg`, `nvcomp`.

    Libraries are given by their path; None: there is none.
    """
    nvjpeg = nvjpeg_path()
    report(nvjpeg=str(nvjpeg) if nvjpeg else None, stage="importing DALI")
    from dali_voc.ops import _plugin  # noqa: PLC0415
    from dali_voc.ops.experimental import nvcomp_path  # noqa: PLC0415

    report(dali=str(Path(str(sys.modules["nvidia.dali"].__file__)).parent))
    try:
        report(nvcomp=str(nvcomp_path()))
    except PluginError as e:
        report(nvcomp=None, nvcomp_error=str(e))
    report(stage=None)
    library = _plugin.library_path()
    report(plugin=str(library), stage="loading the operators")
    _plugin.load_plugin()
    loaded = ctypes.CDLL(str(library))
    report(
        built_for=library.with_name(_plugin.BUILT_FOR).read_text().strip(),
        stage=None,
        libjpeg=_home_of(loaded, "jpeg_read_header"),
        libdeflate=_home_of(loaded, "libdeflate_zlib_decompress"),
    )


class _Info(ctypes.Structure):  # Dl_info
    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _home_of(library: ctypes.CDLL, function: str) -> str | None:
    """Return the file that has a function which the library uses; None: it shows no such one."""
    try:
        address = ctypes.cast(getattr(library, function), ctypes.c_void_p)
    except AttributeError:
        return None
    info = _Info()
    ctypes.CDLL(None).dladdr(address, ctypes.byref(info))
    return os.path.realpath(os.fsdecode(info.file)) if info.file else None
