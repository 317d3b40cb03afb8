"""Short, seeded runs of the long campaigns in benchmarks/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, out: Path, *arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / script, "--out", out, *map(str, arguments)],
        capture_output=True,
        timeout=400,
        check=False,
    )
    assert out.exists(), done.stderr.decode()
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


def test_png_photographs_are_decoded_as_by_dali(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 9, (600, 1100, 3)).cumsum(axis=1) % 256
    photo = tmp_path / "photo.png"
    Image.fromarray(pixels.astype(np.uint8)).save(photo)
    result = run("png_photos.py", tmp_path / "png.json", "--rounds", 1, "--photos", photo)
    assert result["same_pixels_everywhere"]
    assert list(result["photos"]["photo.png"]) == [
        *("size", "bytes", "equal_to_pillow", "whole", "crop 512x1024", "one_thread")
    ]


def test_large_photographs_have_the_same_windows(real_voc: Path, tmp_path: Path) -> None:
    options = ("--root", real_voc, "--rounds", 1, "--pairs", 2)
    result = run("large_photos.py", tmp_path / "large.json", *options)
    assert result["loader"]["same_batches"]
    assert list(result["windows"]) == ["640x480", "2000x1500", "4000x3000"]
    for part in result["windows"].values():
        assert part["same_pixels"]
        assert part["bytes"]["plain"] < part["bytes"]["restarts"] < 1.02 * part["bytes"]["plain"]


def test_several_crops_in_short(real_voc: Path, tmp_path: Path) -> None:
    options = ("--root", real_voc, "--rounds", 1, "--seconds", 0.05, "--pairs", 4)
    result = run("several_crops.py", tmp_path / "crops.json", *options)
    assert len(result["data"]) == 5
    for rates in result["data"].values():
        assert list(rates) == ["1", "2", "4", "8", "16"]
        assert rates["1"]["rate"] == 1.0
        assert all(len(row["rounds"]) == 1 for row in rates.values())


def test_training_curves_in_short(tmp_path: Path) -> None:
    small = ["--steps", 6, "--seeds", 2, "--window", 2, "--crop", 48, 64]
    small += ["--batch-size", 4, "--made-up", 9]
    result = run("training_curves.py", tmp_path / "curves.json", *small)
    paths = result["data"]["made-up"]["paths"]
    assert [len(part["final_loss_by_seed"]) for part in paths.values()] == [2, 2, 1]
    for part in paths.values():
        assert part["steps_shown"] == [2, 3, 4, 5, 6]
        assert np.isfinite(part["smoothed_losses"]).all()
        assert part["wait_ms_per_step"] > 0
    # the same weights at the beginning, though not the same pictures
    first = [part["smoothed_losses"][0][0] for part in paths.values()]
    assert max(first) < 1.5 * min(first)
    assert set(result["data"]["made-up"]["wait"]) == {"ours_to_textbooks", "met"}


@pytest.fixture
def curves(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import training_curves

    return training_curves


def test_curves_are_smoothed_by_trailing_means(curves: Any) -> None:
    losses = np.random.default_rng(0).random((3, 20))
    expected = [[row[i : i + 7].mean() for i in range(14)] for row in losses]
    np.testing.assert_allclose(curves.smooth(losses, 7), expected)


def test_overlap_of_curves(curves: Any) -> None:
    theirs = np.array([[3.0, 2.0, 1.0, 1.0, 1.0], [3.2, 2.2, 1.2, 1.2, 1.02]])
    assert curves.overlap(theirs, theirs)["met"]
    # one of five steps apart, and 2% higher at the end
    near = theirs + np.array([0, 0.3, 0, 0, 0.02])
    found = curves.overlap(near, theirs)
    assert found["share_of_steps_where_bands_touch"] == 0.8
    assert found["difference_of_means_at_the_end"] == pytest.approx(0.0198, abs=1e-4)
    assert found["met"]
    assert not curves.overlap(near + np.array([0, 0, 0.3, 0, 0]), theirs)["met"]
    assert not curves.overlap(theirs + np.array([0, 0, 0, 0, 0.2]), theirs)["met"]


def test_listing_in_short(tmp_path: Path) -> None:
    result = run("listing.py", tmp_path / "listing.json", "--pairs", 3000, "--rounds", 1)
    for layout in "voc2012", "cityscapes":
        assert {ways["pairs"] for ways in result[layout]["medians"].values()} == {3000}


def test_packed_splits_in_short(tmp_path: Path, voc: Path) -> None:
    result = run(
        *("pack_speed.py", tmp_path / "speed.json", "--root", voc),
        *("--rounds", 1, "--small-pairs", 70, "--empty-by", "posix_fadvise"),
    )
    assert (result["voc"]["pairs"], result["small"]["pairs"]) == (21, 70)
    for name in "voc", "small":
        for race in "warm_loader", "warm_reading", "cold_loader", "cold_reading":
            assert result[name][race]["packed_over_loose"] > 0
    result = run("pack_start.py", tmp_path / "start.json", "--records", 5000, "--rounds", 1)
    assert result["records"] == 5000
    assert result["index_bytes_per_record"] < 80
    result = run("label_decoding.py", tmp_path / "labels.json", "--root", voc)
    assert (result["labels"], result["kept_as_runs"], result["kept_as_png"]) == (21, 21, 0)


def test_verify_speed_in_short(tmp_path: Path, voc: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.verify_speed", "--root", voc, "--pairs", "60"),
            *("--rounds", "1", "--out", tmp_path / "verify.json"),
        ],
        cwd=BENCHMARKS.parent,
        check=True,
        capture_output=True,
        timeout=200,
    )
    result = json.loads((tmp_path / "verify.json").read_text())
    assert result["pairs"] == 60
    for name in "fast", "whole":
        rate = result["pairs_per_second"][name]["start included"]
        assert rate == round(60 / result["seconds"][name][0])
