"""The curves of cost against size, in short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[1]


def test_curves_in_short(voc: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.scaling", "--root", voc, "--split", "train"),
            *("--rounds", "1", "--seconds", "0.2", "--threads", "1", "--batch-sizes", "4"),
            *("--widths", "500", "--links", "100", "--counts", "1000", "2000"),
            *("--out", tmp_path / "curves.json", "--plot", tmp_path / "curves.png"),
        ],
        cwd=REPOSITORY,
        check=True,
        timeout=200,
        capture_output=True,
    )
    result = json.loads((tmp_path / "curves.json").read_text())
    for key, size in ("threads", "1"), ("picture_pixels", "187500"), ("data_set", "100"):
        assert list(result[key]) == [size]
        assert result[key][size]["pairs_per_second"] > 0
    assert [row["samples"] for row in result["planning"]] == [1000, 2000]
    assert result["of_linear"] == {"1": 1.0}
    first = result["first_batch"]
    assert 0 < first["build_loader_to_first_batch"] < first["all"]
    assert (tmp_path / "curves.png").stat().st_size > 10_000
