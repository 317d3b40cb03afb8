"""The command line as a user meets it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"


def dali_voc(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dali_voc", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=cwd,
    )


def test_demo_needs_nothing(tmp_path: Path) -> None:
    done = dali_voc("demo", "--set", "loader.device=cpu", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for part in (
        "images  float32  [16, 3, 320, 480] on cpu",
        "labels  int64    [16, 320, 480] on cpu",
        "pairs/s",
        "void (255)",
        "6/6 batches",
    ):
        assert part in done.stdout
    sheet = Image.open(tmp_path / "dali-voc-demo/batch.png")
    assert sheet.width > 4 * 480
    assert sheet.height > 3 * 320
    assert len(sheet.convert("RGB").getcolors(1 << 24)) > 1000


def test_demo_on_given_data(voc: Path, tmp_path: Path) -> None:
    done = dali_voc(
        *("demo", "--root", voc, "--out", tmp_path / "o", "--set", "augment.crop_size=[64, 96]"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "[14, 3, 64, 96]" in done.stdout
    assert "14 pairs in" in done.stdout
    assert [p.name for p in (tmp_path / "o").iterdir()] == ["batch.png"]


def test_bench(voc: Path, tmp_path: Path) -> None:
    done = dali_voc(
        *("bench", CONFIG, "--set", f"dataset.root={voc}", "--set", "loader.batch_size=4"),
        *("--set", "loader.device=cpu", "--set", "augment.crop_size=[64, 64]"),
        *("--rounds", 2, "--seconds", 0.2, "--json", tmp_path / "bench.json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "times the textbook" in done.stdout
    result = json.loads((tmp_path / "bench.json").read_text())
    medians = result["medians"]
    assert result["pairs_per_second"] == medians["loader"] > 0
    assert result["reference_ratio"] == medians["loader"] / medians["reference"]
    assert result["bound_ratio"] == medians["loader"] / medians["bound"]
    assert all(len(rates) == 2 for rates in result["rounds"].values())
    assert result["machine"]["versions"]["nvidia-dali-cuda120"] == "2.4.0"
    assert result["config"]["loader"]["batch_size"] == 4


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["demo", "--root", "nowhere"], 1, "dali-voc: nowhere: no such folder"),
        (["demo", "--set", "loader.batchsize=3"], 1, "did you mean 'batch_size'"),
        (["bench", "none.yaml"], 1, "dali-voc: none.yaml: no such file"),
        (["bench", CONFIG, "--set", "dataset.root=nowhere"], 1, "dali-voc: nowhere: no such"),
        (["demo", "--rot", "x"], 2, "No such option"),
        (["dmo"], 2, "No such command"),
    ],
)
def test_wrong_use_is_one_sentence(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    done = dali_voc(*arguments, cwd=tmp_path)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_result_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch) -> None:
    import os

    from dali_voc._files import write_text

    path = tmp_path / "result.json"
    path.write_text("old")
    write_text(path, "new")
    assert path.read_text() == "new"
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "newer")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", [[], ["demo"], ["bench"]])
def test_help(tmp_path: Path, command: list[str]) -> None:
    done = dali_voc(*command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert ("Example: dali-voc" if command else "Exit codes") in done.stdout
