"""Short, seeded runs of the long campaigns in benchmarks/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, out: Path, *arguments: object) -> dict[str, Any]:
    subprocess.run(
        [sys.executable, BENCHMARKS / script, "--out", out, *map(str, arguments)],
        capture_output=True,
        timeout=400,
        check=False,
    )
    result: dict[str, Any] = json.loads(out.read_text())
    return result


def test_damaged_files_are_equal_to_pillow_or_reported(tmp_path: Path) -> None:
    result = run("bad_files.py", tmp_path / "bad.json", "--mutants", 250, "--seed", 7)
    assert result["crashes_and_hangs"] == []
    assert result["neither_equal_nor_reported"] == 0, result["examples_of_what_is_wrong"]
    assert result["mutants"] == 250
    assert result["outcomes"]["equal to Pillow"] > 50
    assert result["outcomes"]["reported"] > 100


def test_kills_lose_and_repeat_nothing(tmp_path: Path) -> None:
    result = run("kills.py", tmp_path / "kills.json", "--kills", 4, "--seed", 3)
    assert result["while_batches_flowed"] == 4
    assert result["lost"] == result["delivered_twice"] == result["processes_left"] == 0
    assert result["died_by_themselves"] == 0
    assert result["shared_memory_left"] == []
    assert result["samples_delivered"] > 200


def test_long_run_in_short(tmp_path: Path) -> None:
    result = run(
        *("long_run.py", tmp_path / "long.json"),
        *("--batches", 2000, "--loaders", 4, "--interrupts", 2),
    )
    assert result["hashes"]["met"]
    assert len(result["hashes"]["sha256"]) == 16
    assert result["interrupt"]["processes_left"] == 0
    before, after = result["loaders"]["open_files"]
    assert after <= before
    before, after = result["loaders"]["threads"]
    assert after <= before
    assert result["memory"]["batches"] == 2000


def test_rates_of_crops_are_those_of_a_plain_implementation(real_voc: Path, tmp_path: Path) -> None:
    result = run("crop_rates.py", tmp_path / "rates.json", "--root", real_voc, "--epochs", 2)
    assert result["largest_difference_in_standard_errors"] < 5
    rates = result["rates"]
    plain, tried = (rates[k]["mixed"]["ours"] for k in ("plain", "category_max_ratio 0.75"))
    assert tried > plain + 0.05


def test_augmentation_speed_measures_each_setting(real_voc: Path, tmp_path: Path) -> None:
    result = run(
        *("augmentation_speed.py", tmp_path / "speed.json", "--root", real_voc),
        *("--rounds", 1, "--seconds", 0.2, "--only", "rotate", "one_hot"),
    )
    assert list(result["of_crop_only"]) == ["crop, flip", "rotate 10, half", "one_hot uint8"]
    assert all(rate > 0 for rate in result["pairs_per_second"].values())
