"""Checks of driver and GPUs, from what the probes `driver` and `jpeg_engines` reported."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._finding import Finding

__all__ = ["check_driver", "check_gpus", "check_jpeg_engines", "has_gpu", "has_nvidia_card"]

_OLDEST_DRIVER = 525  # of CUDA 12, DALI's own minimum
_OLDEST_CUDA = 12000
_OLDEST_GPU = [5, 0]  # what the kernels are compiled for
_LITTLE = 2**30  # bytes of free GPU memory
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
_CPU = "batches are made on the CPU"
_IN_A_CONTAINER = (
    "in a container: run it with '--gpus all' and the NVIDIA Container Toolkit on the host; "
    "elsewhere: install NVIDIA's driver, 525 or later"
)


def has_nvidia_card(*, root: Path = Path("/")) -> bool:
    """Return whether the PCI bus has an NVIDIA GPU, also one that nothing here can use.

    Args:
        root: where /sys is.
    """
    for device in (root / "sys/bus/pci/devices").glob("*"):
        try:
            vendor = (device / "vendor").read_text().strip()
            kind = (device / "class").read_text().strip()
        except OSError:
            continue
        if vendor == "0x10de" and kind.startswith("0x03"):  # a display controller
            return True
    return False


def has_gpu(driver: Outcome) -> bool:
    """Return whether the driver has a GPU to offer."""
    return bool(driver.facts.get("gpus"))


def check_driver(driver: Outcome, *, has_card: bool) -> Finding:
    """Judge the driver: no GPU at all is fine, one that does not work is not.

    Args:
        driver: what came of the probe `driver`.
        has_card: whether the machine has an NVIDIA GPU.
    """
    name, facts = "driver", driver.facts
    version = facts.get("driver") or _kernel_version(facts.get("kernel_driver"))
    if driver.trouble is not None:
        return Finding.failure(
            name,
            f"{f'{version}; ' if version else ''}{driver.trouble}",
            advice="see whether 'nvidia-smi' works; if not, restart the machine or reinstall the "
            "driver; loader.device=cpu does without",
        )
    if "library_error" in facts or facts["init"] == _NO_DEVICE or not facts.get("gpus", True):
        return _without_gpus(facts, version, has_card=has_card)
    if facts["init"]:
        return Finding.failure(
            name,
            f"{version or 'version unknown'}: it does not start, {facts['init_name']}",
            advice="after an update of the driver, restart the machine (in a container: the "
            "container); loader.device=cpu does without",
        )
    cuda = facts["cuda"]
    found = f"{version or 'version unknown'}, CUDA {cuda // 1000}.{cuda % 1000 // 10}"
    number = int(version.partition(".")[0]) if version and version[0].isdigit() else None
    if cuda < _OLDEST_CUDA or (number is not None and number < _OLDEST_DRIVER):
        return Finding.failure(
            name,
            f"{found}, expected {_OLDEST_DRIVER} or later (CUDA 12.0) for DALI",
            advice="install a newer driver; loader.device=cpu does without",
        )
    return Finding.ok(name, found)


def check_gpus(driver: Outcome) -> list[Finding]:
    """Describe each GPU: name, memory, compute capability, MIG."""
    findings = []
    for number, gpu in enumerate(driver.facts.get("gpus", ())):
        name = f"GPU {number}"
        found = f"{gpu['name']}, {gpu['memory'] / 2**30:.1f} GiB"
        free = gpu.get("free")
        if free is not None and not gpu.get("mig"):
            found += f" ({free / 2**30:.1f} free)"
        found += ", compute capability " + ".".join(map(str, gpu["capability"]))
        if gpu.get("mig"):
            found += ", divided (MIG): this is one instance"
        if gpu["capability"] < _OLDEST_GPU:
            findings.append(
                Finding.failure(
                    name,
                    f"{found}, expected 5.0 or more",
                    advice="hide it with CUDA_VISIBLE_DEVICES, or use loader.device=cpu",
                )
            )
        elif free is not None and not gpu.get("mig") and free < _LITTLE:
            findings.append(
                Finding.warning(
                    name,
                    found,
                    advice="other processes hold its memory, see 'nvidia-smi'; end them, or choose "
                    "another GPU with CUDA_VISIBLE_DEVICES",
                )
            )
        else:
            findings.append(Finding.ok(name, found))
    return findings


def check_jpeg_engines(
    engines: Outcome, driver: Outcome, *, environment: Mapping[str, str] = os.environ
) -> Finding:
    """Say whether JPEGs can be decoded by engines of their own.

    Args:
        engines: what came of the probe `jpeg_engines`.
        driver: what came of the probe `driver`.
        environment: variables, as a container has them.
    """
    name = "JPEG engines"
    number = engines.facts.get("engines", 0)
    if engines.trouble is None and number:
        share = "which take a share of the JPEGs (loader.hw_decoder_load)"
        return Finding.ok(name, f"{number}, {share}")
    allowed = _capabilities(environment.get("NVIDIA_DRIVER_CAPABILITIES"))
    advice = "run the container with 'NVIDIA_DRIVER_CAPABILITIES=compute,utility,video'"
    if allowed is not None and not set(allowed) & {"video", "all"}:
        found = f"the container's NVIDIA_DRIVER_CAPABILITIES lack 'video': {', '.join(allowed)}"
        return Finding.warning(name, f"{found}; hardware decoding needs it", advice=advice)
    if not driver.facts.get("cuvid"):
        found = (
            "the driver's video library (libnvcuvid.so.1) is missing; hardware decoding needs it"
        )
        return Finding.warning(name, found, advice=f"{advice}, or reinstall the driver")
    if engines.trouble is not None:
        return Finding.warning(
            name,
            engines.trouble,
            advice="set loader.hw_decoder_load=0 if batches on the GPU fail, too",
        )
    return Finding.ok(name, "none (GPUs such as A100 and H100 have some): its cores decode")


def _without_gpus(facts: Mapping[str, Any], version: str | None, *, has_card: bool) -> Finding:
    if "library_error" in facts:
        if not has_card and not version:
            return Finding.ok("driver", f"no NVIDIA GPU: {_CPU}")
        found = f"the machine has an NVIDIA GPU, but libcuda.so.1 cannot be loaded: {_CPU}"
        return Finding.warning("driver", found, advice=_IN_A_CONTAINER)
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    found = f"{version or 'version unknown'}, which offers no GPU: {_CPU}"
    if hidden is not None:
        advice = "unset it, or name GPUs that there are ('nvidia-smi -L')"
        return Finding.warning(
            "driver", f"{found}; CUDA_VISIBLE_DEVICES is '{hidden}'", advice=advice
        )
    if facts.get("mig_gpus"):
        advice = "make an instance ('nvidia-smi mig -cgi ... -C'), or switch MIG off"
        return Finding.warning("driver", f"{found}; MIG is on, without an instance", advice=advice)
    if has_card:
        return Finding.warning("driver", found, advice=_IN_A_CONTAINER)
    return Finding.ok("driver", found)


def _kernel_version(text: str | None) -> str | None:
    found = re.search(r"\b(\d{3,}\.\d+(\.\d+)?)\b", text or "")
    return found[1] if found else None


def _capabilities(text: str | None) -> list[str] | None:
    return None if text is None else [word.strip() for word in text.split(",") if word.strip()]
