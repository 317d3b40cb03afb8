"""Checks of installed packages; PyTorch is imported for them, DALI is not."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from collections.abc import Iterable

from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._finding import Finding
from dali_voc.probing._report import describe_error

__all__ = ["check_dali", "check_torch", "dali_wheels", "describe_ourselves"]

_OURS = "nvidia-dali-cuda120"
_DALI = re.compile(r"nvidia-dali(-(nightly|weekly))?-cuda\d+")


def describe_ourselves(version: str) -> Finding:
    """Say which versions of this package and of Python these are."""
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    return Finding.ok("dali_voc", f"{version}, Python {platform.python_version()}, {system}")


def dali_wheels(
    distributions: Iterable[importlib.metadata.Distribution] | None = None,
) -> dict[str, str]:
    """Return names and versions of the installed packages that bring `nvidia.dali`."""
    if distributions is None:
        distributions = importlib.metadata.distributions()
    found = {}
    for distribution in distributions:
        # a broken installation may have no name
        name = re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or "").lower()
        if _DALI.fullmatch(name):
            found[name] = distribution.version
    return found


def check_dali(wheels: dict[str, str], loaded: Outcome) -> Finding:
    """Look at which DALI there is, and whether it could be imported.

    Args:
        wheels: from `dali_wheels`.
        loaded: what came of the probe `plugin`.
    """
    name = "DALI"
    install = f"pip install -c constraints.txt {_OURS}"
    found = ", ".join(f"{wheel} {version}" for wheel, version in sorted(wheels.items()))
    if len(wheels) > 1:
        return Finding.failure(
            name,
            f"{found}: they share one folder and overwrite each other",
            advice=f"run 'pip uninstall {' '.join(sorted(wheels))}', then '{install}'",
        )
    if _OURS not in wheels:
        return Finding.failure(
            name, f"found {found or 'none'}, expected {_OURS}", advice=f"run '{install}'"
        )
    if "dali" not in loaded.facts:
        return Finding.failure(
            name,
            f"{found}: {loaded.trouble}",
            advice=f"run 'pip install --force-reinstall --no-deps {_OURS}=={wheels[_OURS]}'; DALI "
            "needs Linux with glibc 2.28 or later",
        )
    return Finding.ok(name, f"{found} in {loaded.facts['dali']}")


def check_torch(*, driver_cuda: int | None, gpus: Outcome | None) -> Finding:
    """Compare PyTorch's build with the machine.

    Args:
        driver_cuda: the newest CUDA that the driver knows, as it says it: 12040 for 12.4; None:
            there is no GPU that works.
        gpus: what came of the probe `torch_gpus`, where there is a GPU.
    """
    name = "PyTorch"
    try:
        import torch  # noqa: PLC0415
    except (ImportError, OSError) as e:  # a library that it needs, or is not whole
        return Finding.failure(
            name,
            f"it cannot be imported: {describe_error(e)}",
            advice="run 'pip install --force-reinstall -c constraints.txt torch'",
        )
    built = torch.version.cuda
    found = f"{torch.__version__}, " + (f"for CUDA {built}" if built else "a build without CUDA")
    if driver_cuda is None or gpus is None:
        return Finding.ok(name, found)
    known = f"{driver_cuda // 1000}.{driver_cuda % 1000 // 10}"
    if not built:
        return Finding.warning(
            name,
            f"{found} on a machine with a GPU: batches are made on the CPU",
            advice="install a build with CUDA from https://download.pytorch.org/whl, for the "
            f"driver's CUDA {known} or older",
        )
    if gpus.facts.get("gpus"):
        return Finding.ok(name, f"{found}, which finds {gpus.facts['gpus']} GPU(s)")
    if int(built.partition(".")[0]) > driver_cuda // 1000:
        return Finding.failure(
            name,
            f"{found}, but the driver only knows CUDA {known}",
            advice="install a newer driver, or a build for that CUDA from "
            "https://download.pytorch.org/whl",
        )
    return Finding.failure(
        name,
        f"{found}: {gpus.trouble or 'it finds no GPU, though the driver does'}",
        advice="look at what 'python -c \"import torch; torch.cuda.init()\"' says",
    )
