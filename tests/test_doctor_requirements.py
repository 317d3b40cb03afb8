"""`dali-voc doctor` on the versions of installed packages."""

from __future__ import annotations

import importlib.metadata
import re

import pytest

from dali_voc.doctoring import Finding
from dali_voc.doctoring._requirements import check_requirements

NUMPY = importlib.metadata.version("numpy")


def test_this_installation() -> None:
    finding = check_requirements()
    assert finding.level == "ok"
    needed = [
        re.match(r"[\w-]+", one).group()  # type: ignore[union-attr]
        for one in importlib.metadata.requires("dali_voc") or ()
        if "extra" not in one
    ]
    needed.remove("nvidia-dali-cuda120")
    assert len(needed) > 5
    expected = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in needed)
    assert finding.found == expected


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        (["numpy>=1"], f"numpy {NUMPY}"),
        (["numpy"], f"numpy {NUMPY}"),
        (["numpy>=1", "no-such-package; extra == 'test'"], f"numpy {NUMPY}"),
        (["numpy>=1", "no-such-package; python_version < '3'"], f"numpy {NUMPY}"),
        (["numpy>=1", "nvidia-dali-cuda120==1.0"], f"numpy {NUMPY}"),
        ([], ""),
    ],
)
def test_what_fits(needs: list[str], found: str) -> None:
    assert check_requirements(needs) == Finding.ok("packages", found)


@pytest.mark.parametrize("version", ["2.7.0", "2.13.0+cpu", "2.14.0.dev20261101+cu130", "2.7"])
def test_builds_and_previews_of_later_versions_fit(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _: version)
    assert check_requirements(["torch>=2.7"]).level == "ok"


def test_what_does_not_fit() -> None:
    finding = check_requirements(["numpy<1,>=0.5", "pillow>=10", "no-such-package>=2", "pydantic"])
    assert finding == Finding.warning(
        "packages",
        f"found numpy {NUMPY}, no-such-package none, expected numpy<1,>=0.5, no-such-package>=2",
        advice='run \'pip install "numpy<1,>=0.5" "no-such-package>=2"\'',
    )


def test_one_that_was_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", missing)
    assert check_requirements().level == "ok"
