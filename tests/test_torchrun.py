"""Two and four real processes agree with the pure function."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import encoded_voc
import pytest
from torchrun_command import torchrun_command

from dali_voc.order import Deal, epoch_order

N = 21


@pytest.mark.parametrize(
    ("world", "initialise", "last_batch"),
    [
        (2, "yes", "partial"),
        (2, "no", "drop"),
        (4, "yes", "pad"),
        pytest.param(4, "no", "partial", marks=pytest.mark.slow),
    ],
)
def test_ranks(tmp_path: Path, world: int, initialise: str, last_batch: str) -> None:
    root = encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60) for i in range(N)])
    command = [*torchrun_command(processes=world), Path(__file__).parent / "torchrun_ranks.py"]
    command += [root, tmp_path, initialise, last_batch]
    subprocess.run(command, check=True, timeout=240, capture_output=True)
    deal = Deal(length=N, batch_size=2, world_size=world, last_batch=last_batch)
    reports = [json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in range(world)]
    assert all(report["states"] == reports[0]["states"] for report in reports)
    for rank, report in enumerate(reports):
        for epoch in range(3):
            order = epoch_order(num_samples=N, shuffle=True, seed=0, epoch=epoch)
            assert report["samples"][epoch] == [
                order[deal.places(step=step, rank=rank) % deal.length].tolist()
                for step in range(deal.num_batches())
            ]
