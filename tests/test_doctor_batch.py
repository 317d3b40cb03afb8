"""The batch that is made on trial, and what is made of its figures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, SampleError
from dali_voc.doctoring._batch_lines import check_batch, check_gpu_batch
from dali_voc.doctoring._child import Outcome
from dali_voc.probing import batch

FACTS: dict[str, Any] = {"shape": [8, 3, 32, 32], "first_seconds": 0.51, "pairs_per_second": 1234.5}
SAME = {"unequal": 0, "mean": 0.0, "high": 0.0}


def _probe(config: Config, split: str = "train") -> dict[str, Any]:
    facts: dict[str, Any] = {}
    request = {"config": config.model_dump(mode="json"), "split": split, "seconds": 0.05}
    batch.probe({**request, "gpu": None}, lambda **some: facts.update(some))
    return facts


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"loader": {"batch_size": 64}},
        {"loader": {"validation_batch_size": 1, "validation_last_batch": "drop"}},
        {"labels": {"one_hot": True}, "cache": {"keep": "decoded"}},
        {"augment": {"validation": "slide", "cutmix": 0.5, "small": "drop"}},
        {"sampling": {"policy": "balanced", "stats": "nowhere.json"}},
        {"normalize": {"dtype": "uint8"}, "loader": {"last_batch": "drop", "world_size": 50}},
    ],
)
def test_a_batch_on_the_cpu(make_config: Callable[..., Config], sections: dict[str, Any]) -> None:
    """Whatever else the settings say: a plain batch of the user's data."""
    sections = {**sections, "augment": {"crop_size": [64, 96], **sections.get("augment", {})}}
    facts = _probe(make_config(**sections))
    assert facts["shape"] == [min(sections.get("loader", {}).get("batch_size", 4), 14), 3, 64, 96]
    assert facts["first_seconds"] > 0
    assert facts["pairs_per_second"] > 0
    assert facts["stage"] is None


def test_a_bad_file_is_named(make_config: Callable[..., Config], tmp_path: Path, voc: Path) -> None:
    root = tmp_path / "VOC"
    root.symlink_to(voc)
    bad = tmp_path / "bad"
    for folder in "JPEGImages", "SegmentationClass":
        (bad / folder).mkdir(parents=True)
    (bad / "ImageSets/Segmentation").mkdir(parents=True)
    (bad / "ImageSets/Segmentation/train.txt").write_text("a\n")
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(bad / "JPEGImages/a.jpg")
    (bad / "SegmentationClass/a.png").write_bytes(b"no PNG")
    with pytest.raises(SampleError, match=r"SegmentationClass/a\.png: "):
        _probe(make_config(bad))


@pytest.mark.parametrize("dtype", ["float32", "uint8"])
def test_differences_are_in_levels(make_config: Callable[..., Config], dtype: str) -> None:
    config = make_config(normalize={"dtype": dtype, "std": [0.1, 0.2, 0.5]})
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 200, (2, 3, 50, 40))
    other = levels.copy()
    other[:, 1] += 3  # a third of the values
    other[0, 0, 0, 0] += 50  # fewer than one in a thousand
    labels = torch.from_numpy(rng.integers(0, 21, (2, 50, 40)))
    changed = labels.clone()
    changed[0, 3, 4:9] += 1

    def images(values: Any) -> torch.Tensor:
        if dtype == "uint8":
            return torch.from_numpy(values.astype(np.uint8))
        std = np.array([0.1, 0.2, 0.5]).reshape(3, 1, 1)
        return torch.from_numpy(((values / 255 - 0.4) / std).astype(np.float32))

    found = batch._differences((images(other), changed), (images(levels), labels), config)
    assert found["unequal"] == 5
    assert found["mean"] == pytest.approx(1 + 50 / levels.size, abs=1e-3)
    assert found["high"] == pytest.approx(3, abs=1e-3)
    with pytest.raises(ValueError, match="the CPU's are others"):
        batch._differences((images(other[:1]), changed), (images(levels), labels), config)


@pytest.mark.parametrize(
    ("change", "level", "found"),
    [
        ({}, "ok", "labels are the same"),
        ({"mean": 1.5, "high": 32.0}, "ok", "1.50 levels (of 255) from the CPU's on average and"),
        ({"mean": 1.51}, "failure", "expected 1.5 and 32"),
        ({"high": 32.1}, "failure", "32.1 at most"),
        ({"mean": float("nan")}, "failure", "nan"),
        ({"unequal": 1}, "failure", "1 pixels of labels differ, expected none"),
    ],
)
def test_gpu_batch(change: dict[str, float], level: str, found: str) -> None:
    made = Outcome(facts={**FACTS, **SAME, **change})
    finding = check_gpu_batch("batch on GPU 0", made, data="")
    assert finding.level == level
    assert found in finding.found


def test_batch_lines() -> None:
    finding = check_batch("batch on CPU", Outcome(facts=FACTS), data=" of made-up data")
    assert finding.found == "[8, 3, 32, 32] of made-up data after 0.5 s, then 1,234 pairs/s"
    crashed = Outcome(facts=FACTS, trouble="making a batch on the CPU: it was ended by SIGSEGV")
    for check in check_batch, check_gpu_batch:
        finding = check("x", crashed, data="")
        assert (finding.level, finding.found) == ("failure", crashed.trouble)
        assert "dali-voc verify" in finding.advice
        assert "dali-voc verify" not in check("x", crashed, data=" of made-up data").advice


def test_killed_for_memory() -> None:
    killed = Outcome(facts=FACTS, trouble="making a batch on the CPU: it was ended by SIGKILL")
    finding = check_batch("batch on CPU", killed, data="")
    assert (finding.level, finding.found) == ("failure", killed.trouble)
    assert "lower loader.batch_size, loader.prefetch or cache.memory" in finding.advice
    assert "verify" not in finding.advice
