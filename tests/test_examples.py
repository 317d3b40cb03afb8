"""ddp.py, with_accelerate.py, with_lightning.py, semi_supervised.py: stopped and started again.

The first three run in two processes, begin with the same weights and do the same arithmetic, so the
weights at the end are those of a plain loop over two loaders in one process that never stops.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional
from torchrun_command import torchrun_command
from warm_python import warm_python

from dali_voc import build_loader, parse_config

EXAMPLES = Path(__file__).parents[1] / "examples"
STEPS = 6  # 14 samples by 2 processes in batches of 2: the second epoch begins with step 4
Weights = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def expected(voc: Path) -> Weights:
    """The weights after STEPS steps of gradients that are the mean of two ranks'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(EXAMPLES))
        from networks import SmallFcn
    torch.manual_seed(0)
    model = SmallFcn(21)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loaders = []
    for rank in range(2):
        ranks = {"rank": rank, "world_size": 2, "device": "cpu", "batch_size": 2}
        sections = {"augment": {"crop_size": [128, 160]}, "loader": ranks}
        loaders.append(build_loader(parse_config({"dataset": {"root": str(voc)}, **sections})))
    step = 0
    while step < STEPS:
        for batches in zip(*loaders, strict=True):
            optimizer.zero_grad()
            for images, labels in batches:
                loss = functional.cross_entropy(model(images), labels, ignore_index=255)
                (loss / 2).backward()
            optimizer.step()
            step += 1
            if step == STEPS:
                break
    for loader in loaders:
        loader.close()
    return model.state_dict()


def run(script: str, folder: Path, *arguments: object, processes: int = 2) -> str:
    """Run an example by torchrun, and return what it printed; one process needs none."""
    start = torchrun_command(processes=processes) if processes > 1 else warm_python()
    done = subprocess.run(
        [*start, EXAMPLES / script, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def demand_equal(found: dict[str, Any], expected: Weights) -> None:
    assert set(found) == set(expected)
    for name, weights in expected.items():
        torch.testing.assert_close(found[name], weights, rtol=1e-4, atol=1e-6)


def test_ddp(tmp_path: Path, voc: Path, expected: Weights) -> None:
    printed = run("ddp.py", tmp_path, voc, "--steps", 3)
    assert printed == "step 3: 12 pictures in this run, ddp.pt is written\n"
    # two of the 14 are left of the epoch, one for each process
    printed = run("ddp.py", tmp_path, voc, "--steps", STEPS)
    assert printed == f"step {STEPS}: 10 pictures in this run, ddp.pt is written\n"
    demand_equal(torch.load(tmp_path / "ddp.pt")["model"], expected)


@pytest.mark.slow
def test_accelerate(tmp_path: Path, voc: Path, expected: Weights) -> None:
    pytest.importorskip("accelerate")
    from safetensors.torch import load_file

    printed = run("with_accelerate.py", tmp_path, voc, "--steps", 3)
    assert printed == "step 3: 12 pictures in this run, accelerate-state is written\n"
    printed = run("with_accelerate.py", tmp_path, voc, "--steps", STEPS)
    assert printed == f"step {STEPS}: 10 pictures in this run, accelerate-state is written\n"
    demand_equal(load_file(tmp_path / "accelerate-state/model.safetensors"), expected)


def test_accelerate_gives_the_loader_back_unchanged(voc: Path) -> None:
    accelerate = pytest.importorskip("accelerate")
    config = parse_config({"dataset": {"root": str(voc)}, "loader": {"device": "cpu"}})
    with build_loader(config) as loader:
        assert accelerate.Accelerator(cpu=True).prepare(loader) is loader


@pytest.mark.slow
def test_lightning(tmp_path: Path, voc: Path, expected: Weights) -> None:
    pytest.importorskip("lightning")
    run("with_lightning.py", tmp_path, voc, "--steps", 3)
    printed = run("with_lightning.py", tmp_path, voc, "--steps", STEPS, "--resume", "last.ckpt")
    assert f"step {STEPS}: last.ckpt is written\n" in printed
    found = torch.load(tmp_path / "last.ckpt", weights_only=False)["state_dict"]
    demand_equal({name.removeprefix("network."): w for name, w in found.items()}, expected)


def test_semi_supervised(tmp_path: Path, voc: Path) -> None:
    """Stopped with an epoch's last batch, it ends as one that never stops."""

    def train(steps: int, checkpoint: str) -> str:
        options = ["--steps", steps, "--sure", 0.05, "--checkpoint", checkpoint]
        return run("semi_supervised.py", tmp_path, voc, *options, processes=1)

    # two of the 14 have labels, and the others are six batches
    for steps in 6, 14:
        stopped = train(steps, "stopped.pt")
    assert stopped.replace("stopped", "whole") == train(14, "whole.pt")
    one, other = (torch.load(tmp_path / f"{name}.pt") for name in ("stopped", "whole"))
    for name, weights in one["model"].items():
        assert torch.equal(weights, other["model"][name])
    assert one["few"] == other["few"]
    assert (one["weak"]["epoch"], one["weak"]["delivered"]) == (2, 4)
    assert one["weak"]["delivered"] == one["strong"]["delivered"]
