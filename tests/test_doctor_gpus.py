"""Drivers and GPUs, by stand-ins for the driver's libraries; no GPU has seen this."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dali_voc.doctoring import _gpus
from dali_voc.doctoring._child import Outcome, run_probe

SOURCE = Path(__file__).parent / "native/fake_driver.c"
GIB = 2**30
GPU = {"name": "NVIDIA Fake", "memory": 80 * GIB, "capability": [9, 0], "free": 70 * GIB}
FACTS = {"driver": "550.54.15", "cuda": 12040, "init": 0, "gpus": [GPU], "cuvid": True}
CONTAINER = "--gpus all"


def _probe(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *flags: str, nvml: bool = True
) -> Outcome:
    libraries = {"libcuda.so.1": ["-DCUDA", *flags]}
    if nvml:
        libraries["libnvidia-ml.so.1"] = []
    for name, options in libraries.items():
        command = ["gcc", "-shared", "-fPIC", "-w", *options, "-o", folder / name, SOURCE]
        subprocess.run(command, check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(folder))
    return run_probe("dali_voc.probing.driver", {}, limit=60)


def test_the_driver_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = _probe(tmp_path, monkeypatch, "-DINIT=0")
    assert driver.trouble is None
    finding = _gpus.check_driver(driver, has_card=True)
    assert (finding.level, finding.found) == ("ok", "550.54.15, CUDA 12.4")
    assert [(f.name, f.level, f.found) for f in _gpus.check_gpus(driver)] == [
        ("GPU 0", "ok", "NVIDIA Fake 70, 10.0 GiB (5.0 free), compute capability 9.0"),
        (
            "GPU 1",
            "ok",
            "NVIDIA Fake 71, 11.0 GiB, compute capability 9.1, divided (MIG): this is one instance",
        ),
    ]


def test_without_nvml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that lacks `utility`."""
    driver = _probe(tmp_path, monkeypatch, "-DINIT=0", nvml=False)
    found = _gpus.check_driver(driver, has_card=True).found
    assert found.endswith(", CUDA 12.4")
    first, _ = _gpus.check_gpus(driver)
    assert first.found == "NVIDIA Fake 70, 10.0 GiB, compute capability 9.0"


def test_a_driver_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = _gpus.check_driver(_probe(tmp_path, monkeypatch, "-DINIT=803"), has_card=True)
    assert finding.level == "failure"
    assert "does not start, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" in finding.found


def test_a_driver_that_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = _probe(tmp_path, monkeypatch, "-DINIT=0", "-DCRASH", "-O0")
    finding = _gpus.check_driver(driver, has_card=True)
    assert finding.level == "failure"
    assert finding.found == "550.54.15; starting the driver (cuInit): it was ended by SIGSEGV"
    assert not _gpus.has_gpu(driver)


@pytest.mark.parametrize(
    ("facts", "card", "visible", "level", "found", "advice"),
    [
        ({"library_error": "x"}, False, None, "ok", "no NVIDIA GPU: batches are made on the", ""),
        ({"library_error": "x"}, True, None, "warning", "libcuda.so.1 cannot be load", CONTAINER),
        (
            {"library_error": "x", "kernel_driver": "NVRM version: x86_64  535.104.05  Sat Aug"},
            *(False, None, "warning", "libcuda.so.1 cannot be loaded", CONTAINER),
        ),
        ({**FACTS, "driver": "470.82.01"}, True, None, "failure", "expected 525 or later", "newer"),
        ({**FACTS, "cuda": 11080}, True, None, "failure", "CUDA 11.8, expected 525", "newer"),
        ({**FACTS, "driver": None}, True, None, "ok", "version unknown, CUDA 12.4", ""),
        ({**FACTS, "gpus": []}, True, "", "warning", "CUDA_VISIBLE_DEVICES is ''", "nvidia-smi -L"),
        ({"init": 100, "driver": "550.1"}, False, None, "ok", "550.1, which offers no GPU", ""),
        ({"init": 100, "driver": "550.1"}, True, None, "warning", "offers no GPU", CONTAINER),
        (
            {"init": 100, "driver": "550.1", "mig_gpus": 1},
            *(True, None, "warning", "MIG is on, without an instance", "mig -cgi"),
        ),
    ],
)
def test_driver(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch,
    facts: dict[str, object],
    card: bool,
    visible: str | None,
    level: str,
    found: str,
    advice: str,
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    finding = _gpus.check_driver(Outcome(facts=facts), has_card=card)
    assert finding.level == level
    assert found in finding.found
    assert advice in finding.advice
    assert bool(finding.advice) == (level != "ok")


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "ok"),
        ({"capability": [3, 7]}, "failure"),
        ({"capability": [5, 0]}, "ok"),
        ({"free": GIB - 1}, "warning"),
        ({"free": GIB}, "ok"),
        ({"free": 0, "mig": True}, "ok"),
    ],
)
def test_gpu(change: dict[str, object], level: str) -> None:
    (finding,) = _gpus.check_gpus(Outcome(facts={"gpus": [{**GPU, **change}]}))
    assert finding.level == level


@pytest.mark.parametrize(
    ("capabilities", "cuvid", "engines", "level", "found"),
    [
        ("compute,utility", True, {"engines": 0}, "warning", "lack 'video': compute, utility"),
        ("compute, video", True, {"engines": 7}, "ok", "7, which take"),
        ("all", True, {"engines": 0}, "ok", "none"),
        (None, True, {"engines": 1}, "ok", "1, which take"),
        (None, False, {"engines": 0}, "warning", "(libnvcuvid.so.1) is missing"),
        ("", True, {"engines": 0}, "warning", "lack 'video'"),
        # as on a machine whose driver comes from elsewhere
        ("compute,utility", True, {"engines": 7}, "ok", "7, which take"),
    ],
)
def test_jpeg_engines(
    capabilities: str | None, cuvid: bool, engines: dict[str, int], level: str, found: str
) -> None:
    environment = {} if capabilities is None else {"NVIDIA_DRIVER_CAPABILITIES": capabilities}
    driver = Outcome(facts={**FACTS, "cuvid": cuvid})
    finding = _gpus.check_jpeg_engines(Outcome(facts=engines), driver, environment=environment)
    assert finding.level == level
    assert found in finding.found


def test_jpeg_engines_that_crash() -> None:
    finding = _gpus.check_jpeg_engines(
        Outcome(trouble="it was ended by SIGSEGV"), Outcome(facts=FACTS), environment={}
    )
    assert (finding.level, finding.found) == ("warning", "it was ended by SIGSEGV")


def test_cards_are_found_on_the_bus(tmp_path: Path) -> None:
    assert not _gpus.has_nvidia_card(root=tmp_path)
    devices = {"a": ("0x8086", "0x030000"), "b": ("0x10de", "0x040300"), "c": None}
    for name, facts in devices.items():
        folder = tmp_path / "sys/bus/pci/devices" / name
        folder.mkdir(parents=True)
        for key, value in zip(("vendor", "class"), facts or (), strict=False):
            (folder / key).write_text(f"{value}\n")
    assert not _gpus.has_nvidia_card(root=tmp_path)
    (tmp_path / "sys/bus/pci/devices/a/vendor").write_text("0x10de\n")
    assert _gpus.has_nvidia_card(root=tmp_path)
