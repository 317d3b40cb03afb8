"""DALI, PyTorch, the compiled operators and what they link."""

from __future__ import annotations

import importlib.metadata
import shutil
import sys
from pathlib import Path

import pytest
import torch

from dali_voc.doctoring._child import Outcome, run_probe
from dali_voc.doctoring._packages import check_dali, check_torch, dali_wheels
from dali_voc.doctoring._plugin_lines import check_nvcomp, check_nvjpeg, check_operators
from dali_voc.ops._plugin import library_path

LOADED = Outcome(facts={"dali": "/x/nvidia/dali"})


def _installed(folder: Path, *packages: str) -> list[importlib.metadata.Distribution]:
    for package in packages:
        name, _, version = package.partition("==")
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return list(importlib.metadata.distributions(path=[str(folder)]))


def test_dali_wheels(tmp_path: Path) -> None:
    found = _installed(
        tmp_path,
        *("nvidia-dali-cuda120==2.4.0", "nvidia_dali_cuda130==2.3.0", "nvidia-nvjpeg-cu12==12.4"),
        *("nvidia-dali-nightly-cuda120==2.5.0", "nvidia-dali-tf-plugin-cuda120==2.4.0"),
    )
    assert dali_wheels(found) == {
        "nvidia-dali-cuda120": "2.4.0",
        "nvidia-dali-cuda130": "2.3.0",
        "nvidia-dali-nightly-cuda120": "2.5.0",
    }
    assert dali_wheels()["nvidia-dali-cuda120"] == importlib.metadata.version("nvidia-dali-cuda120")


@pytest.mark.parametrize(
    ("wheels", "loaded", "level", "found", "advice"),
    [
        (
            {"nvidia-dali-cuda120": "2.4.0"},
            *(LOADED, "ok", "nvidia-dali-cuda120 2.4.0 in /x/nvidia/dali", ""),
        ),
        ({}, Outcome(), "failure", "found none, expected nvidia-dali-cuda120", "pip install -c"),
        ({"nvidia-dali-cuda110": "1.50"}, LOADED, "failure", "found nvidia-dali-cuda110 1", "pip"),
        (
            {"nvidia-dali-cuda130": "2.4.0", "nvidia-dali-cuda120": "2.4.0"},
            *(
                LOADED,
                "failure",
                "nvidia-dali-cuda120 2.4.0, nvidia-dali-cuda130 2.4.0: ",
            ),
            "pip uninstall nvidia-dali-cuda120 nvidia-dali-cuda130",
        ),
        (
            {"nvidia-dali-cuda120": "2.4.0"},
            Outcome(trouble="importing DALI: ImportError: no libfoo"),
            *("failure", "2.4.0: importing DALI: ImportError: no libfoo", "--force-reinstall"),
        ),
    ],
)
def test_dali(wheels: dict[str, str], loaded: Outcome, level: str, found: str, advice: str) -> None:
    finding = check_dali(wheels, loaded)
    assert finding.level == level
    assert found in finding.found
    assert advice in finding.advice


@pytest.mark.parametrize(
    ("built", "driver", "gpus", "level", "found"),
    [
        (None, None, None, "ok", "a build without CUDA"),
        ("12.8", None, None, "ok", "for CUDA 12.8"),
        (None, 12040, Outcome(facts={"gpus": 0}), "warning", "a build without CUDA on a machine"),
        ("12.8", 12040, Outcome(facts={"gpus": 2}), "ok", "for CUDA 12.8, which finds 2 GPU(s)"),
        ("13.0", 12040, Outcome(facts={"gpus": 0}), "failure", "the driver only knows CUDA 12.4"),
        ("12.8", 12040, Outcome(facts={"gpus": 0}), "failure", "it finds no GPU, though"),
        ("12.8", 12040, Outcome(trouble="it hung"), "failure", "for CUDA 12.8: it hung"),
    ],
)
def test_torch(  # noqa: PLR0917
    monkeypatch: pytest.MonkeyPatch,
    built: str | None,
    driver: int | None,
    gpus: Outcome | None,
    level: str,
    found: str,
) -> None:
    monkeypatch.setattr(torch.version, "cuda", built)
    finding = check_torch(driver_cuda=driver, gpus=gpus)
    assert finding.level == level
    assert found in finding.found
    assert torch.__version__ in finding.found


def test_torch_that_cannot_be_imported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so.13: cannot open it')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "torch")
    finding = check_torch(driver_cuda=None, gpus=None)
    assert finding.level == "failure"
    assert finding.found == "it cannot be imported: OSError: libcudart.so.13: cannot open it"
    assert "--force-reinstall" in (finding.advice or "")


def test_operators_as_they_are() -> None:
    loaded = run_probe("dali_voc.probing.plugin", {}, limit=120)
    operators, libjpeg, libdeflate = check_operators(loaded)
    assert {f.level for f in (operators, libjpeg, libdeflate)} == {"ok"}
    assert operators.found == f"{library_path()}, built for DALI 2.4.0"
    assert libjpeg.found == libdeflate.found == "part of the operators"
    assert check_dali(dali_wheels(), loaded).level == "ok"
    for check in check_nvjpeg(loaded, used=None, has_gpu=True), check_nvcomp(loaded, has_gpu=True):
        assert check.level == "ok"
        assert Path(check.found).is_file()


@pytest.mark.parametrize(
    ("change", "found", "advice"),
    [
        ("missing", "no such file, expected the compiled operators", "run 'pip install -c"),
        ("empty", "file too short", "reinstall dali-voc"),
        ("garbage", "invalid ELF header", "reinstall dali-voc"),
        ("another", "was built for DALI 2.3.0, but DALI 2.4.0 is installed", "reinstall"),
        ("no version", "built_for_dali.txt: no such file", "reinstall dali-voc"),
        ("crashes", "loading the operators: it was ended by SIGSEGV", "reinstall dali-voc"),
    ],
)
def test_broken_operators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str, found: str, advice: str
) -> None:
    folder = tmp_path / "ops"
    folder.mkdir()
    for name in "libdali_voc_ops.so", "built_for_dali.txt":
        shutil.copy(library_path().with_name(name), folder)
    library = folder / "libdali_voc_ops.so"
    patch = f"_plugin._folder = lambda: __import__('pathlib').Path({str(folder)!r})"
    if change == "missing":
        library.unlink()
        patch = (
            f"_plugin.__file__ = {str(folder / '_plugin.py')!r}; "
            "_plugin.importlib.metadata.distribution = lambda _: "
            f"type('D', (), dict(locate_file=lambda s, p: {str(folder)!r}))()"
        )
    elif change in ("empty", "garbage"):
        library.write_bytes(b"no library" * 100 if change == "garbage" else b"")
    elif change == "another":
        (folder / "built_for_dali.txt").write_text("2.3.0\n")
    elif change == "no version":
        (folder / "built_for_dali.txt").unlink()
    else:
        crash = "lambda _: __import__('ctypes').string_at(0)"
        patch += f"; _plugin.plugin_manager.load_library = {crash}"
    (tmp_path / "broken.py").write_text(
        f"from dali_voc.ops import _plugin\n{patch}\nfrom dali_voc.probing.plugin import probe\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    loaded = run_probe("broken", {}, limit=120)
    (finding,) = check_operators(loaded)
    assert finding.level == "failure"
    assert found in finding.found
    assert advice in finding.advice
    assert check_dali({"nvidia-dali-cuda120": "2.4.0"}, loaded).level == "ok"


def test_without_dali_the_operators_point_there() -> None:
    (finding,) = check_operators(Outcome(trouble="importing DALI: it was ended by SIGILL"))
    assert (finding.level, finding.advice) == ("failure", "see DALI: they need it")


def test_libraries_within_the_operators() -> None:
    facts = {"dali": "/d", "plugin": "/p.so", "built_for": "2.4.0"}
    facts |= {"libjpeg": None, "libdeflate": "/p.so"}
    found = [finding.found for finding in check_operators(Outcome(facts=facts))]
    assert found == ["/p.so, built for DALI 2.4.0", *["part of the operators"] * 2]


def test_missing_gpu_libraries() -> None:
    loaded = Outcome(facts={"nvjpeg": None, "nvcomp": None})
    for gpu, level in (False, "ok"), (True, "warning"):
        assert check_nvjpeg(loaded, used=None, has_gpu=gpu).level == level
        assert check_nvcomp(loaded, has_gpu=gpu).level == level
    assert check_nvjpeg(loaded, used="/cuda/libnvjpeg.so.12", has_gpu=True).found == (
        "/cuda/libnvjpeg.so.12, in use"
    )
