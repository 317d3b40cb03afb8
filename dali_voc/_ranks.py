"""Which of how many processes this one is: asked, never negotiated."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch.distributed

from dali_voc.errors import ConfigError, LoaderError
from dali_voc.state import FINGERPRINT

__all__ = ["Ranks", "compare_ranks", "find_ranks"]

_log = logging.getLogger("dali_voc")


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The place of this process among those that share the data.

    Attributes:
        rank: from 0 to `world_size` - 1.
        world_size: number of processes, one per GPU.
        local_rank: its number on this machine, which picks the GPU; None where nobody said.
    """

    rank: int = 0
    world_size: int = 1
    local_rank: int | None = None


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
    if rank == "auto" or world_size == "auto":
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            rank, world_size = torch.distributed.get_rank(), torch.distributed.get_world_size()
        else:
            rank, world_size = _from_environment()
    if not 0 <= rank < world_size:
        raise ConfigError(
            f"rank {rank} of {world_size}: expected a rank from 0 to {world_size - 1}"
        )
    return Ranks(rank=rank, world_size=world_size, local_rank=local_rank)


def compare_ranks(fingerprint: Mapping[str, str]) -> None:
    """Make sure that all ranks of `torch.distributed` read the same; all have to call this.

    Args:
        fingerprint: of this rank's loader, see `dali_voc.state`.

    Raises:
        LoaderError: on every rank, what the first that differs has otherwise than rank 0.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return
    found: list[Mapping[str, str] | None] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(found, dict(fingerprint))
    first = found[0] or {}
    for rank, other in enumerate(found):
        names = [name for name in FINGERPRINT if (other or {}).get(name) != first.get(name)]
        if names:
            what = ", ".join(f"{FINGERPRINT[name]} ({name})" for name in names)
            raise LoaderError(f"rank {rank} reads other data than rank 0: it differs in {what}")


def _from_environment() -> tuple[int, int]:
    """Return torchrun's RANK and WORLD_SIZE; 0 and 1 where neither is set."""
    texts = {name: os.environ.get(name) for name in ("RANK", "WORLD_SIZE")}
    given = [name for name, text in texts.items() if text is not None]
    if not given and "LOCAL_RANK" not in os.environ:
        others = os.environ.get("SLURM_NTASKS", "1")
        if others not in ("", "1"):
            _log.warning(
                "SLURM runs %s tasks, and nothing says which rank this one is: it reads all of the "
                "data; build the loader after torch.distributed is initialised, or give "
                "loader.rank and loader.world_size",
                others,
            )
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
