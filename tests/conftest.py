"""Fixtures: made-up data, and the real samples where they are."""

from __future__ import annotations

import gc
import os

# Beside other workers, threads of OpenMP would only wait for each other; PyTorch reads it once.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from built_once import FOLDER, built_once

from dali_voc import Config, parse_config
from dali_voc.synthetic import write_voc

SHARED = Path(os.environ.get("DALI_VOC_SHARED", Path(__file__).parents[2] / "shared"))
REAL_VOC = SHARED / "data/voc2012/VOCdevkit/VOC2012"

# Workers of DataLoaders must not end pipelines that a test has left behind: DALI would wait for
# threads that a child does not have, for ever. The library sees to its own pipelines itself.
os.register_at_fork(after_in_child=gc.disable)

# A background job ignores it, and so would the commands that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # which inherit it
        folder = tempfile.TemporaryDirectory(prefix="dali-voc-built-")
        os.environ[FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason="needs an NVIDIA GPU"))


@pytest.fixture(scope="session")
def voc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up data set: 14 training and 7 validation pairs, some smaller than 320x480."""
    return write_voc(tmp_path_factory.mktemp("voc"), train=14, val=7)


@pytest.fixture(scope="session")
def real_voc() -> Path:
    """The real samples, which are not part of the project."""
    if not REAL_VOC.is_dir():
        pytest.skip(f"no real samples at {REAL_VOC}")
    return REAL_VOC


@pytest.fixture
def make_config(voc: Path) -> Callable[..., Config]:
    """Build a configuration for the CPU; keywords are sections, merged over small defaults."""

    def make(root: Path = voc, **sections: dict[str, Any]) -> Config:
        tree: dict[str, dict[str, Any]] = {
            "dataset": {"root": str(root)},
            "loader": {"batch_size": 4, "device": "cpu", "threads": 2},
        }
        for name, keys in sections.items():
            tree[name] = {**tree.get(name, {}), **keys}
        return parse_config(tree)

    return make


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What pipelines are built of: grows by one with each."""
    from dali_voc.pipeline import build_pipeline

    found: list[object] = []

    def build(*arguments: Any, **options: Any) -> Any:
        found.append(arguments)
        return build_pipeline(*arguments, **options)

    monkeypatch.setattr("dali_voc.pipeline.build_pipeline", build)
    return found


@pytest.fixture(scope="session")
def own_dataset() -> Path:
    """A folder for `sys.path` in which the package of examples/own_dataset is installed by pip."""

    def install(folder: Path) -> None:
        source = Path(__file__).parents[1] / "examples/own_dataset"
        shutil.copytree(source, folder / "source")  # building leaves files behind
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
        command += ["--no-build-isolation", "--target", folder / "site", folder / "source"]
        subprocess.run(command, check=True, timeout=120)

    return built_once("own_dataset", install) / "site"
