"""examples/own_dataset, installed by pip: its entry point is found, and its pairs are loaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, DatasetError, build_loader, parse_config

SPLITS = {"train": 3, "val": 2}
OVERRIDES = ["loader.batch_size=2", "loader.device=cpu", "augment.validation=full"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pairs whose names say nothing of each other, as only the list knows."""
    rng = np.random.default_rng(0)
    rows = ["split,image,label"]
    (tmp_path / "masks").mkdir()
    for split, number in SPLITS.items():
        (tmp_path / split).mkdir()
        for i in range(number):
            image, label = f"{split}/{i}.jpg", f"masks/{split[0]}{9 - i}.png"
            Image.fromarray(rng.integers(0, 256, (40, 50, 3), np.uint8)).save(tmp_path / image)
            values = rng.choice(np.array([0, 1, 2, 255], np.uint8), (40, 50))
            Image.fromarray(values).save(tmp_path / label)
            rows.append(f"{split},{image},{label}")
    (tmp_path / "pairs.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


@pytest.fixture
def config(root: Path, own_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.syspath_prepend(str(own_dataset))
    tree = {"dataset": {"name": "fields", "root": str(root)}}
    return parse_config(tree, overrides=OVERRIDES)


def test_pairs_come_in_the_lists_order(config: Config, root: Path) -> None:
    with build_loader(config, split="val") as loader:
        assert loader.spec.classes == ("soil", "crop", "weed")
        [batch] = loader
    for i, label in enumerate(batch.labels):
        stored = np.array(Image.open(root / f"masks/v{9 - i}.png"))
        assert torch.equal(label[:40, :50], torch.from_numpy(stored).long())
    with build_loader(config) as loader:
        assert [loader.index.name(i) for i in range(3)] == [f"train/{i}.jpg" for i in range(3)]


def test_other_classes(config: Config, root: Path) -> None:
    mapped = {"classes": ["ground", "plant"], "map": {"soil": "ground", "*": "plant"}}
    section = {"name": "fields", "root": str(root), **mapped}
    config = parse_config({"dataset": section}, overrides=OVERRIDES)
    with build_loader(config, split="val") as loader:
        [batch] = loader
    stored = np.array(Image.open(root / "masks/v9.png"))
    expected = np.select([stored == 0, stored == 255], [0, 255], 1)
    assert np.array_equal(batch.labels[0, :40, :50].numpy(), expected)


def test_errors(config: Config, root: Path) -> None:
    with pytest.raises(DatasetError, match="found no split 'test', expected one of: train, val"):
        build_loader(config, split="test")
    (root / "masks/v8.png").unlink()
    with pytest.raises(DatasetError, match=r"masks/v8\.png: no such file, but .*pairs\.csv lists"):
        build_loader(config, split="val")
    (root / "pairs.csv").unlink()
    with pytest.raises(DatasetError, match=r"pairs\.csv: no such file, expected the list of pairs"):
        build_loader(config)


def test_a_package_that_cannot_be_imported(own_dataset: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(own_dataset, tmp_path / "site"))
    (site / "fields_dataset.py").write_text("import there_is_no_such_module\n")
    code = (
        "from dali_voc.datasets import find_pairs; from pathlib import Path\n"
        "find_pairs('fields', Path('.'), 'train')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "dataset.name: 'fields' is fields_dataset" in last
    assert last.endswith(
        "which cannot be loaded (ModuleNotFoundError: No module named 'there_is_no_such_module')"
    )
