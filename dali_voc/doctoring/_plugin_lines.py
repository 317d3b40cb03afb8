"""Checks of the compiled operators and of the libraries around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._finding import Finding

__all__ = ["check_nvcomp", "check_nvjpeg", "check_operators"]


def check_operators(loaded: Outcome) -> list[Finding]:
    """Look at the operators, and at libjpeg and libdeflate which they use.

    Args:
        loaded: what came of the probe `plugin`.
    """
    name, facts = "operators", loaded.facts
    if loaded.trouble is not None:
        if "dali" not in facts:
            return [Finding.failure(name, "not loaded", advice="see DALI: they need it")]
        # our own errors end with what to do
        found, _, advice = loaded.trouble.rpartition("; ")
        if not found:
            found, advice = loaded.trouble, "reinstall dali-voc"
        return [Finding.failure(name, found, advice=advice)]
    built = f"{facts['plugin']}, built for DALI {facts['built_for']}"
    return [
        Finding.ok(name, built),
        *(Finding.ok(used, _place(facts, used)) for used in ("libjpeg", "libdeflate")),
    ]


def check_nvjpeg(loaded: Outcome, *, used: str | None, has_gpu: bool) -> Finding:
    """Say which nvJPEG a GPU decodes with.

    Args:
        loaded: what came of the probe `plugin`.
        used: the library that a batch on a GPU has loaded, if there was one.
        has_gpu: whether there is a GPU.
    """
    name, lies = "nvJPEG", loaded.facts.get("nvjpeg")
    if used:
        return Finding.ok(name, f"{used}, in use")
    if lies:
        return Finding.ok(name, lies if has_gpu else f"{lies}; not used without a GPU")
    return _missing(name, "the package nvidia-nvjpeg-cu12 is not installed", has_gpu=has_gpu)


def check_nvcomp(loaded: Outcome, *, has_gpu: bool) -> Finding:
    """Say which nvCOMP `decode_png` inflates with.

    Args:
        loaded: what came of the probe `plugin`.
        has_gpu: whether there is a GPU.
    """
    name, lies = "nvCOMP", loaded.facts.get("nvcomp")
    if lies:
        return Finding.ok(name, lies if has_gpu else f"{lies}; not used without a GPU")
    return _missing(name, "the package nvidia-libnvcomp-cu12 is not installed", has_gpu=has_gpu)


def _missing(name: str, found: str, *, has_gpu: bool) -> Finding:
    if not has_gpu:
        return Finding.ok(name, f"{found}; it is not needed without a GPU")
    return Finding.warning(
        name, found, advice="run 'pip install --force-reinstall nvidia-dali-cuda120' to get it"
    )


def _place(facts: Mapping[str, Any], library: str) -> str:
    """Return where a library is, and the version that shared ones have in their names."""
    path = facts[library]
    if path in (None, facts["plugin"]):
        return "part of the operators"
    version = re.search(r"\.so\.([\d.]+)$", Path(path).name)
    return f"{path} (version {version[1]})" if version else path
