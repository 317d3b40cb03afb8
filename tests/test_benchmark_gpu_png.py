"""The GPU PNG benchmark runs through on stand-ins, and would notice wrong pixels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.gpu_png import comparison, measure
from benchmarks.gpu_png.work import make_photo

FAST: dict[str, Any] = {"rounds": 1, "seconds": 0.01, "threads": 2}


@pytest.mark.slow
def test_it_runs_through() -> None:
    notes: list[Any] = []
    found = measure(torch.device("cpu"), note=notes.append, **FAST)
    assert found["same_pixels_everywhere"]
    for kind in "photographs", "labels":
        assert list(found[kind]["batches"]) == ["1", "3"]
        for result in found[kind]["batches"].values():
            assert result["same_pixels"] == {"cpu": True, "kernels": True}
            rates = result["pictures_per_second"]
            assert set(rates) == {"cpu", "kernels", "inflating"}
            assert result["times_the_cpu"]["kernels"] == rates["kernels"] / rates["cpu"]
    assert len(notes) == 4
    assert found["wins"] == {}


def test_wrong_pixels_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = comparison.truth

    def another(file: Any, *, is_label: bool) -> Any:
        pixels = truth(file, is_label=is_label)
        pixels.flat[-1] ^= 1
        return pixels

    monkeypatch.setattr(comparison, "truth", another)
    assert not measure(torch.device("cpu"), **FAST)["same_pixels_everywhere"]


def test_made_up_photographs_are_as_large_as_cityscapes() -> None:
    file = make_photo(np.random.default_rng(0), height=1024, width=2048)
    assert 2.0e6 < file.size < 2.6e6
