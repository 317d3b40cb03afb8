"""Ranks that read other data than each other are found before they train."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from dali_voc import build_loader, parse_config
from dali_voc.synthetic import write_voc


def check(rank: int, root: str, store: str, differs: str, out: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=3)
    tree = {
        "dataset": {"root": root},
        "augment": {"crop_size": [32, 32]},
        "loader": {"device": "cpu", "batch_size": 2},
    }
    if rank == 2 and differs == "seed":
        tree["loader"]["seed"] = 1  # type: ignore[index]
    samples = range(5) if rank == 1 and differs == "samples" else None
    with build_loader(parse_config(tree), samples=samples) as loader:
        try:
            loader.check_ranks()
            said = "alike"
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    Path(out, str(rank)).write_text(said)
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ("nothing", "alike"),
        (
            "seed",
            "LoaderError: rank 2 reads other data than rank 0: it differs in loader.seed (seed)",
        ),
        (
            "samples",
            "LoaderError: rank 1 reads other data than rank 0: it differs in the list of samples "
            "(samples)",
        ),
    ],
)
def test_all_ranks_say_which_differs(tmp_path: Path, differs: str, said: str) -> None:
    root = write_voc(tmp_path / "voc", train=6, val=2)
    (tmp_path / "out").mkdir()
    arguments = (str(root), str(tmp_path / "store"), differs, str(tmp_path / "out"))
    mp.start_processes(check, arguments, nprocs=3, start_method="spawn")  # type: ignore[no-untyped-call]
    assert [path.read_text() for path in sorted((tmp_path / "out").iterdir())] == [said] * 3


def test_alone_there_is_nothing_to_compare(make_config) -> None:
    with build_loader(make_config()) as loader:
        loader.check_ranks()
