"""The example in examples/train.py: it runs, learns and scores as it says."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from dali_voc.synthetic import write_voc

EXAMPLE = Path(__file__).parents[1] / "examples" / "train.py"


def load_example():
    spec = importlib.util.spec_from_file_location("example_train", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def slow_mean_iou(truth, predicted, *, classes, ignored):
    ratios = []
    for c in range(classes):
        hits = union = 0
        for t, p in zip(truth.flat, predicted.flat, strict=True):
            if t == ignored:
                continue
            hits += t == c and p == c
            union += c in (t, p)
        if union:
            ratios.append(hits / union)
    return np.mean(ratios)


def run_example(folder, *options):
    done = subprocess.run(
        [sys.executable, EXAMPLE, *options],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^epoch +(\d+)  loss (\d+\.\d+)  mIoU (\d\.\d+)  ", done.stdout, re.M)
    return [(int(epoch), float(loss), float(miou)) for epoch, loss, miou in lines]


@pytest.mark.parametrize("seed", range(3))
def test_mean_iou_against_a_slow_loop(seed):
    classes, ignored = 7, 255
    rng = np.random.default_rng(seed)
    # Class 5 occurs in the prediction only, class 6 in neither.
    truth = rng.choice([0, 1, 2, 3, 4, ignored], (2, 3, 8, 9))
    predicted = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 6, truth.shape))
    predicted[truth == ignored] = rng.integers(0, classes, (truth == ignored).sum())
    pairs = zip(torch.from_numpy(truth), torch.from_numpy(predicted), strict=True)
    measured = load_example().mean_iou(pairs, classes=classes, ignored=ignored)
    expected = slow_mean_iou(truth, predicted, classes=classes, ignored=ignored)
    assert measured == pytest.approx(expected, abs=1e-6)


def test_mean_iou_by_hand():
    truth = torch.tensor([[0, 0, 1, 1, 255]])
    predicted = torch.tensor([[0, 1, 1, 2, 3]])
    measured = load_example().mean_iou([(truth, predicted)], classes=5, ignored=255)
    assert measured == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)


def test_scores_have_the_size_of_the_picture():
    model = load_example().SmallFcn(4)
    assert model(torch.zeros(2, 3, 37, 50)).shape == (2, 4, 37, 50)


def test_example_learns(tmp_path):
    root = write_voc(tmp_path / "voc", train=16, val=4)
    epochs = run_example(
        tmp_path, "--root", str(root), "--epochs", "3", "--batch-size", "4", "--crop", "96", "120"
    )
    assert [epoch for epoch, _, _ in epochs] == [1, 2, 3]
    assert epochs[-1][1] < epochs[0][1]
    assert all(0 <= miou <= 1 for _, _, miou in epochs)


def test_example_makes_up_its_own_data_and_cleans_up(tmp_path):
    epochs = run_example(tmp_path, "--epochs", "1", "--batch-size", "16", "--crop", "32", "48")
    assert len(epochs) == 1
    assert not list(tmp_path.glob("tmp*"))
