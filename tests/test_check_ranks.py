"""Ranks that read other data than each other are found before they train."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch.distributed as dist
import torch.multiprocessing as mp

from dali_voc import Loader, LoaderError, build_loader, parse_config
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


WORLD = (
    "expected a world size of 3; build them after torch.distributed is initialised, or give "
    "loader.rank and loader.world_size; where fewer processes share the data, name their group"
)
CASES = {
    "nothing": "alike",
    "groups": "alike",
    "seed": "rank 2 reads other data than rank 0: it differs in loader.seed (seed)",
    "samples": "rank 1 reads other data than rank 0: it differs in the list of samples (samples)",
    "labels": (
        "rank 2 reads other data than rank 0: it differs in the paths of files below dataset.root "
        "(files)"
    ),
    "local": (
        "the loaders of 3 processes are ranks 0 of 3, 1 of 3, 0 of 3: nobody reads what is for "
        "rank 2, and others read the same; is loader.rank the number on the node, not of all?"
    ),
    "alone": f"the loaders of 3 processes are ranks 0 of 1, 0 of 1, 0 of 1: {WORLD}",
    "more": f"the loaders of 3 processes are ranks 0 of 4, 1 of 4, 2 of 4: {WORLD}",
}


def compare(rank: int, root: str, differs: str) -> str:
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
        except LoaderError as e:
            return str(e)
    return "alike"


def compare_all(rank: int, root: str, store: str, out: str) -> None:
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=3)
    said = {differs: compare(rank, root, differs) for differs in CASES}
    Path(out, str(rank)).write_text(json.dumps(said))
    # PyTorch 2.7 ends its threads with the GIL held, which they want while they let go of tensors
    dist.barrier()
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """What each of three ranks says to each case."""
    folder = tmp_path_factory.mktemp("ranks")
    root = write_voc(folder / "voc", train=6, val=2)
    shutil.copytree(root / "SegmentationClass", root / "Seg2")
    arguments = (str(root), str(folder / "store"), str(folder))
    mp.start_processes(compare_all, arguments, nprocs=3, start_method="spawn")  # type: ignore[no-untyped-call]
    return [json.loads((folder / str(rank)).read_text()) for rank in range(3)]


@pytest.mark.parametrize("differs", CASES)
def test_all_ranks_say_which_differs(said: list[dict[str, str]], differs: str) -> None:
    expected = [CASES[differs]] * 3
    if differs == "groups":
        expected[2] = "this process is not in the group, and has nothing to compare"
    assert [of_rank[differs] for of_rank in said] == expected


def test_alone_there_is_nothing_to_compare(make_config) -> None:
    with build_loader(make_config()) as loader:
        loader.check_ranks()
