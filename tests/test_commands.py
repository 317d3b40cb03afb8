"""The command line as a user meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image
from warm_python import warm_python

from dali_voc import ClassStats, loss_weights

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"


def dali_voc(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*warm_python(), "-m", "dali_voc", *map(str, arguments)],
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


def test_places_that_shells_do_not_expand(
    voc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIND", "demos")
    done = dali_voc(
        *("demo", "--out=~/$KIND/o", "--json=~/facts.json", f"--root={voc}"),
        *("--set", "augment.crop_size=[64, 96]"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "home/demos/o/batch.png").is_file()
    assert (tmp_path / "home/facts.json").is_file()
    assert not (tmp_path / "~").exists()


@pytest.mark.slow
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


@pytest.mark.slow
def test_bench_of_other_folders(voc: Path, tmp_path: Path) -> None:
    """There the textbook's way has nothing to read."""
    (tmp_path / "mine").symlink_to(voc / "JPEGImages")
    (tmp_path / "theirs").symlink_to(voc / "SegmentationClass")
    config = tmp_path / "folder.yaml"
    classes = [f"c{i}" for i in range(21)]
    dataset = {"name": "folder", "root": str(tmp_path), "classes": classes}
    patterns = {"images": "mine/*.jpg", "masks": "theirs/*.png"}
    config.write_text(yaml.safe_dump({"dataset": {**dataset, **patterns}}))
    done = dali_voc(
        *("bench", config, "--set", "loader.batch_size=4", "--set", "loader.device=cpu"),
        *("--rounds", 1, "--seconds", 0.2, "--json", tmp_path / "bench.json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert "the textbook's way reads voc2012 with labels alone, and was not timed" in done.stdout
    result = json.loads((tmp_path / "bench.json").read_text())
    assert result["reference_ratio"] is None
    assert list(result["medians"]) == ["loader", "bound"]
    assert result["bound_ratio"] > 0


def test_stats(voc: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    done = dali_voc(
        *("stats", CONFIG, "--set", f"dataset.root={voc}", "--split", "trainval"),
        *("--set", "sampling.stats=$OUT_HERE/counts.json", "--set", "sampling=balanced"),
        *("--out", "out/counts.json"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    stats = ClassStats.load(tmp_path / "out/counts.json")
    assert len(stats.sample_classes) == 21
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == len(stats.classes)
    all_pixels = sum(stats.pixels)
    weights = loss_weights(stats, method="median").tolist()
    for row, name, pixels, pictures, weight in zip(
        rows, stats.classes, stats.pixels, stats.pictures, weights, strict=True
    ):
        shares = f"{100 * pixels / all_pixels:.2f} %", f"{100 * pictures / 21:.2f} %"
        expected = [name, f"{pixels:,}", shares[0], str(pictures), shares[1], f"{weight:.3f}"]
        found = [cell.strip() for cell in row.strip("│").split("│")]
        assert found == (expected if pixels else [name, "never", "", "", "", ""])
    assert "21/21 labels" in done.stdout
    chart = Image.open(tmp_path / "out/counts.png")
    assert chart.format == "PNG"
    assert chart.height > 21 * 20
    assert len(chart.convert("RGB").getcolors(1 << 24)) > 10


def test_stats_says_what_is_missing(voc: Path, tmp_path: Path) -> None:
    """A class that never occurs, a label that shows nothing, and one that is damaged."""
    root = shutil.copytree(voc, tmp_path / "voc")
    labels = [root / f"SegmentationClass/made_{i:06d}.png" for i in range(14)]
    labels[3].write_bytes(b"")
    Image.fromarray(np.full((220, 300), 255, np.uint8)).save(labels[4])
    for path in labels[5:]:
        Image.fromarray(np.zeros((220, 300), np.uint8)).save(path)
    arguments = ("stats", CONFIG, "--set", f"dataset.root={root}")
    done = dali_voc(*arguments, cwd=tmp_path)
    assert (done.returncode, list(tmp_path.iterdir())) == (1, [root])
    assert done.stderr.endswith(f"dali-voc: {labels[3]}: the file is empty\n")
    done = dali_voc(*arguments, "--set", "loader.on_error=skip", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"WARNING: {labels[3]}: the file is empty; it counts as" in done.stderr
    assert "labels that could not be read and count as showing nothing: 1\n" in done.stdout
    assert "labels without a class, which balanced sampling never draws: 1\n" in done.stdout
    assert " never " in done.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"voc", "stats.json", "stats.png"}
    done = dali_voc(*arguments, "--set", "loader.on_error=skip", "--quiet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["demo", "--root", "nowhere"], 1, "dali-voc: nowhere: no such folder"),
        (["demo", "--set", "loader.batchsize=3"], 1, "did you mean 'batch_size'"),
        (["bench", "none.yaml"], 1, "dali-voc: none.yaml: no such file"),
        (["bench", CONFIG, "--set", "dataset.root=nowhere"], 1, "dali-voc: nowhere: no such"),
        (["stats", CONFIG, "--out", "no/s.json"], 1, "no/s.json: found no folder no, expected"),
        (["stats", CONFIG, "--out", "s.png"], 1, "s.png: found for both counts and chart"),
        (["stats", CONFIG, "--set", "dataset.root=nowhere"], 1, "dali-voc: nowhere: no such"),
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


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["bench"], ["stats"], ["preview"], ["index"], ["doctor"]]
)
def test_help(tmp_path: Path, command: list[str]) -> None:
    done = dali_voc(*command, "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert ("Example: dali-voc" if command else "Exit codes") in done.stdout
