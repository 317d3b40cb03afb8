"""Which of how many processes this one is: asked, never negotiated."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from typing import Any, Literal

import torch.distributed

from dali_voc.errors import ConfigError, LoaderError
from dali_voc.state import FINGERPRINT

__all__ = ["Ranks", "compare_ranks", "find_ranks"]

_log = logging.getLogger("dali_voc")
# what says of how many tasks this is one; SLURM_NTASKS is also there in a job that has no others
_LAUNCHERS = (
    ("SLURM", "SLURM_STEP_NUM_TASKS"),
    ("MPI", "OMPI_COMM_WORLD_SIZE"),
    ("MPI", "PMI_SIZE"),
    ("MPI", "MV2_COMM_WORLD_SIZE"),
)


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The place of this process among those that share the data.

    Attributes:
        rank: from 0 to `world_size` - 1.
        world_size: number of processes, one per GPU.
        local_rank: its number on this machine, which picks the GPU; None where nobody said.
        found: whether rank and world size were asked for, not given.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int | None = None
    found: bool = field(default=False, compare=False)

    def warn_if_early(self) -> None:
        """Warn where `torch.distributed` came later, and says otherwise."""
        if not self.found or not _has_processes():
            return
        rank, processes = torch.distributed.get_rank(), torch.distributed.get_world_size()
        if (rank, processes) != (self.rank, self.world_size):
            _log.warning(
                "the loader was built as rank %d of %d, and here is rank %d of %d of "
                "torch.distributed, so that samples come twice or never: build it after "
                "init_process_group (with Lightning in setup()), or give loader.rank and "
                "loader.world_size",
                self.rank,
                self.world_size,
                rank,
                processes,
            )


def find_ranks(
    *, rank: int | Literal["auto"] = "auto", world_size: int | Literal["auto"] = "auto"
) -> Ranks:
    """Return what is given, else what `torch.distributed` says, else torchrun's environment.

    Args:
        rank: from the configuration, together with `world_size`.
        world_size: likewise.

    Raises:
        ConfigError: one is given without the other, or the rank is not below the world size.
    """
    local = os.environ.get("LOCAL_RANK", "")
    local_rank = int(local) if local.isdecimal() else None
    if (rank == "auto") != (world_size == "auto"):
        raise ConfigError("loader.rank and loader.world_size must be given together")
    found = rank == "auto" or world_size == "auto"
    if rank == "auto" or world_size == "auto":
        if _has_processes():
            rank, world_size = torch.distributed.get_rank(), torch.distributed.get_world_size()
        else:
            rank, world_size = _from_environment()
    if not 0 <= rank < world_size:
        raise ConfigError(
            f"rank {rank} of {world_size}: expected a rank from 0 to {world_size - 1}"
        )
    return Ranks(rank=rank, world_size=world_size, local_rank=local_rank, found=found)


def _has_processes() -> bool:
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def compare_ranks(ranks: Ranks, fingerprint: Mapping[str, str], *, group: Any = None) -> None:
    """Make sure that all ranks of `torch.distributed` share the same data; all have to call this.

    Args:
        ranks: of this rank's loader.
        fingerprint: likewise, see `dali_voc.state`.
        group: of the processes that share the data; None: all.

    Raises:
        LoaderError: on every rank, what the first that differs has otherwise than rank 0, or which
            shares are read twice or by nobody.
    """
    if not _has_processes():
        return
    processes = torch.distributed.get_world_size(group)
    if processes < 1:
        raise LoaderError("this process is not in the group, and has nothing to compare")
    found: list[Any] = [None] * processes
    mine = {**fingerprint, "dali_voc": metadata.version("dali-voc")}
    torch.distributed.all_gather_object(found, (ranks.rank, ranks.world_size, mine), group=group)
    _check_shares([(rank, world_size) for rank, world_size, _ in found], processes=processes)
    first = found[0][2]
    meanings = {**FINGERPRINT, "dali_voc": "the version of dali_voc"}
    files = "the paths of files below dataset.root"
    for rank, (_, _, other) in enumerate(found):
        names = [name for name in meanings if other.get(name) != first.get(name)]
        files_of = {other["files"], first["files"]}
        if not names and "" not in files_of and len(files_of) > 1:
            names.append("files")
        if names:
            what = ", ".join(f"{meanings.get(name, files)} ({name})" for name in names)
            raise LoaderError(f"rank {rank} reads other data than rank 0: it differs in {what}")


def _check_shares(shares: list[tuple[int, int]], *, processes: int) -> None:
    """Make sure that ranks and world sizes of all loaders are those of one world."""
    said = ", ".join(f"{rank} of {world_size}" for rank, world_size in shares[:8])
    said = f"the loaders of {processes} processes are ranks {said}{', ...' * (processes > 8)}"
    if any(world_size != processes for _, world_size in shares):
        raise LoaderError(
            f"{said}: expected a world size of {processes}; build them after torch.distributed is "
            "initialised, or give loader.rank and loader.world_size; where fewer processes share "
            "the data, name their group"
        )
    missing = set(range(processes)) - {rank for rank, _ in shares}
    if missing:
        raise LoaderError(
            f"{said}: nobody reads what is for rank {min(missing)}, and others read the same; is "
            "loader.rank the number on the node, not of all?"
        )


def _warn_of_launchers() -> None:
    """Warn where somebody runs several processes, and says their ranks in words of its own."""
    for who, name in _LAUNCHERS:
        others = os.environ.get(name, "")
        if others.isdecimal() and int(others) > 1:
            _log.warning(
                "%s runs %s tasks (%s), and nothing says which rank this one is: it reads all of "
                "the data; build the loader after torch.distributed is initialised, or give "
                "loader.rank and loader.world_size",
                who,
                others,
                name,
            )
            return


def _from_environment() -> tuple[int, int]:
    """Return torchrun's RANK and WORLD_SIZE; 0 and 1 where neither is set."""
    texts = {name: os.environ.get(name) for name in ("RANK", "WORLD_SIZE")}
    given = [name for name, text in texts.items() if text is not None]
    if not given and "LOCAL_RANK" not in os.environ:
        _warn_of_launchers()
        return 0, 1
    if len(given) < len(texts):
        raise ConfigError(
            "the environment names only a part of RANK, WORLD_SIZE and LOCAL_RANK: build the "
            "loader after torch.distributed is initialised, or give loader.rank and world_size"
        )
    for name, text in texts.items():
        if not str(text).isdecimal():
            raise ConfigError(
                f"environment variable {name}: found {text!r}, expected a whole number"
            )
    return int(str(texts["RANK"])), int(str(texts["WORLD_SIZE"]))
