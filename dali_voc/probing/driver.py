"""Asks the CUDA driver and NVML about driver and GPUs; PyTorch and DALI are not needed."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dali_voc.probing._report import Report

__all__ = ["probe"]

_MAJOR, _MINOR = 75, 76  # of CUdevice_attribute: the compute capability


class _Memory(ctypes.Structure):  # nvmlMemory_t
    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `driver`, `cuda`, `init` (0, or the driver's error), `gpus`, `cuvid`."""
    report(stage="loading the driver (libcuda.so.1)")
    version = Path("/proc/driver/nvidia/version")
    if version.is_file():
        report(kernel_driver=version.read_text())
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as e:
        report(library_error=str(e))
        return
    nvml = _Nvml()
    report(driver=nvml.driver_version(), mig_gpus=nvml.mig_gpus(), cuvid=_has("libnvcuvid.so.1"))
    report(stage="starting the driver (cuInit)")
    error = cuda.cuInit(0)
    if error:
        name = ctypes.c_char_p()
        cuda.cuGetErrorName(error, ctypes.byref(name))
        report(init=error, init_name=(name.value or str(error).encode()).decode())
        return
    cuda_version = ctypes.c_int()
    cuda.cuDriverGetVersion(ctypes.byref(cuda_version))
    report(init=0, cuda=cuda_version.value, stage="asking for GPUs")
    count = ctypes.c_int()
    cuda.cuDeviceGetCount(ctypes.byref(count))
    report(gpus=[_gpu(cuda, nvml, number) for number in range(count.value)])


def _has(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _gpu(cuda: ctypes.CDLL, nvml: _Nvml, number: int) -> dict[str, Any]:
    device = ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), number)
    name, bus = ctypes.create_string_buffer(256), ctypes.create_string_buffer(64)
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDeviceGetPCIBusId(bus, len(bus), device)
    total = ctypes.c_size_t()
    cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device)
    capability = []
    for attribute in _MAJOR, _MINOR:
        value = ctypes.c_int()
        cuda.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    found = {
        "name": name.value.decode(errors="replace"),
        "memory": total.value,
        "capability": capability,
    }
    return found | nvml.of_gpu(bus.value)


class _Nvml:
    """The driver's management library, which containers without `utility` lack."""

    def __init__(self) -> None:
        self._library: ctypes.CDLL | None = None
        try:
            library = ctypes.CDLL("libnvidia-ml.so.1")
        except OSError:
            return
        if library.nvmlInit_v2() == 0:
            self._library = library

    def driver_version(self) -> str | None:
        """Return the driver's version, if it can be had."""
        text = ctypes.create_string_buffer(80)
        if self._library and self._library.nvmlSystemGetDriverVersion(text, len(text)) == 0:
            return text.value.decode(errors="replace")
        return None

    def of_gpu(self, bus: bytes) -> dict[str, Any]:
        """Return what is free of a GPU's memory, bytes, and whether it is divided (MIG)."""
        handle = ctypes.c_void_p()
        if not self._library or self._library.nvmlDeviceGetHandleByPciBusId_v2(
            bus, ctypes.byref(handle)
        ):
            return {}
        found: dict[str, Any] = {"mig": self._mig(handle)}
        memory = _Memory()
        if not self._library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
            found["free"] = memory.free
        return found

    def mig_gpus(self) -> int:
        """Return how many GPUs are divided; CUDA shows none of those that have no instance."""
        if not self._library:
            return 0
        count = ctypes.c_uint()
        self._library.nvmlDeviceGetCount_v2(ctypes.byref(count))
        divided = 0
        for number in range(count.value):
            handle = ctypes.c_void_p()
            if not self._library.nvmlDeviceGetHandleByIndex_v2(number, ctypes.byref(handle)):
                divided += self._mig(handle)
        return divided

    def _mig(self, handle: ctypes.c_void_p) -> bool:
        ask = getattr(self._library, "nvmlDeviceGetMigMode", None)  # old drivers have none
        current, pending = ctypes.c_uint(), ctypes.c_uint()
        if not ask or ask(handle, ctypes.byref(current), ctypes.byref(pending)):
            return False
        return current.value == 1
