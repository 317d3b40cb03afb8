"""Check of the packages that this one needs: what was installed later may have changed them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

from packaging.requirements import Requirement

from dali_voc.doctoring._finding import Finding

__all__ = ["check_requirements"]

_OTHERS = {"nvidia-dali-cuda120"}  # that have lines of their own


def check_requirements(requirements: Iterable[str] | None = None) -> Finding:
    """Compare the versions that are installed with those that are needed.

    Args:
        requirements: as packages state them, such as "pillow>=10.2"; None: this package's.
    """
    name = "packages"
    if requirements is None:
        try:
            requirements = importlib.metadata.requires("dali_voc") or ()
        except importlib.metadata.PackageNotFoundError:
            return Finding.ok(name, "not looked at: dali_voc was not installed by pip")
    needed = [need for need in map(Requirement, requirements) if _applies(need)]
    found = {need.name: _version(need.name) for need in needed}
    wrong = [need for need in needed if not _fits(need, found[need.name])]
    if wrong:
        each = (f"{need.name} {found[need.name] or 'none'}" for need in wrong)
        wanted = [f"{need.name}{need.specifier}" for need in wrong]
        return Finding.warning(
            name,
            f"found {', '.join(each)}, expected {', '.join(wanted)}",
            advice="run 'pip install {}'".format(" ".join(f'"{one}"' for one in wanted)),
        )
    return Finding.ok(name, ", ".join(f"{one} {version}" for one, version in found.items()))


def _applies(need: Requirement) -> bool:
    in_here = need.marker is None or need.marker.evaluate({"extra": ""})
    return in_here and need.name not in _OTHERS


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fits(need: Requirement, version: str | None) -> bool:
    return version is not None and need.specifier.contains(version, prereleases=True)
