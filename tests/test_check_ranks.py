"""Ranks that read other data than each other are found before they train."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from dali_voc import Loader, build_loader, parse_config
from dali_voc.synthetic import write_voc

FOLDER = {
    "name": "folder",
    "images": "JPEGImages/*.jpg",
    "classes": [f"c{i}" for i in range(21)],
    "map": {str(i): f"c{i}" for i in range(21)},
}


def read(rank: int, loader: Loader, store: str, out: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("dali_voc").addHandler(handler)
    with loader:
        for _ in range(2):
            next(iter(loader))
    Path(out, str(rank)).write_text("\n".join(told))
    dist.destroy_process_group()


@pytest.mark.parametrize("given", [False, True])
def test_a_loader_that_was_built_too_early(tmp_path: Path, *, given: bool) -> None:
    """Before the processes that it is sent to, which would all read the same."""
    root = str(write_voc(tmp_path / "voc"))
    ranks = {"rank": 0, "world_size": 1} if given else {}
    config = parse_config(
        {
            "dataset": {"root": root},
            "augment": {"crop_size": [32, 32]},
            "loader": {"device": "cpu", "batch_size": 2, **ranks},
        }
    )
    with build_loader(config) as loader:
        mp.spawn(read, (loader, str(tmp_path / "store"), str(tmp_path)), nprocs=2)
    for rank in range(2):
        told = (tmp_path / str(rank)).read_text()
        if given:  # somebody means it
            assert told == ""
        else:
            assert told.startswith(
                f"the loader was built as rank 0 of 1, and here is rank {rank} of 2 of "
            )
            assert "\n" not in told


def check(rank: int, root: str, store: str, differs: str, out: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=3)
    tree = {
        "dataset": {"root": root},
        "augment": {"crop_size": [32, 32]},
        "loader": {"device": "cpu", "batch_size": 2},
    }
    if rank == 2 and differs == "seed":
        tree["loader"]["seed"] = 1  # type: ignore[index]
    if rank == 2 and differs == "labels":
        tree["dataset"] = {**FOLDER, "root": root, "masks": "Seg2/*.png"}
    elif differs == "labels":
        tree["dataset"] = {**FOLDER, "root": root, "masks": "SegmentationClass/*.png"}
    numbers = {"local": (rank % 2, 3), "alone": (0, 1), "more": (rank, 4)}.get(differs)
    group = None
    if differs == "groups":  # the last one is in none
        group, numbers = dist.new_group([0, 1]), (rank % 2, 2)
    if numbers:
        tree["loader"] |= dict(zip(("rank", "world_size"), numbers, strict=True))  # type: ignore[operator]
    samples = range(5) if rank == 1 and differs == "samples" else None
    with build_loader(parse_config(tree), samples=samples) as loader:
        try:
            loader.check_ranks(group=group)
            said = "alike"
        except Exception as e:
            said = f"{type(e).__name__}: {e}"
    Path(out, str(rank)).write_text(said)
    dist.destroy_process_group()


@pytest.mark.parametrize(
    ("differs", "said"),
    [
        ("nothing", "alike"),
        ("groups", "alike"),
        (
            "seed",
            "LoaderError: rank 2 reads other data than rank 0: it differs in loader.seed (seed)",
        ),
        (
            "samples",
            "LoaderError: rank 1 reads other data than rank 0: it differs in the list of samples "
            "(samples)",
        ),
        (
            "labels",
            "LoaderError: rank 2 reads other data than rank 0: it differs in the paths of files "
            "below dataset.root (files)",
        ),
        (
            "local",
            "LoaderError: the loaders of 3 processes are ranks 0 of 3, 1 of 3, 0 of 3: nobody "
            "reads what is for rank 2, and others read the same; is loader.rank the number on the "
            "node, not of all?",
        ),
        (
            "alone",
            "LoaderError: the loaders of 3 processes are ranks 0 of 1, 0 of 1, 0 of 1: expected a "
            "world size of 3; build them after torch.distributed is initialised, or give "
            "loader.rank and loader.world_size; where fewer processes share the data, name "
            "their group",
        ),
        (
            "more",
            "LoaderError: the loaders of 3 processes are ranks 0 of 4, 1 of 4, 2 of 4: expected a "
            "world size of 3; build them after torch.distributed is initialised, or give "
            "loader.rank and loader.world_size; where fewer processes share the data, name "
            "their group",
        ),
    ],
)
def test_all_ranks_say_which_differs(tmp_path: Path, differs: str, said: str) -> None:
    root = write_voc(tmp_path / "voc", train=6, val=2)
    (tmp_path / "out").mkdir()
    shutil.copytree(root / "SegmentationClass", root / "Seg2")
    arguments = (str(root), str(tmp_path / "store"), differs, str(tmp_path / "out"))
    mp.start_processes(check, arguments, nprocs=3, start_method="spawn")  # type: ignore[no-untyped-call]
    expected = [said] * 3
    if differs == "groups":
        expected[2] = "LoaderError: this process is not in the group, and has nothing to compare"
    assert [path.read_text() for path in sorted((tmp_path / "out").iterdir())] == expected


def test_alone_there_is_nothing_to_compare(make_config) -> None:
    with build_loader(make_config()) as loader:
        loader.check_ranks()
