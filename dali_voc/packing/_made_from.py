"""What a pack is made from, and whether one that is there was made from the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from dali_voc._digest import json_digest
from dali_voc._files import write_bytes
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.datasets._file_state import state_of_files
from dali_voc.datasets._pack_format import MadeFrom
from dali_voc.errors import DatasetError
from dali_voc.packing._restarts import RESTART_INTERVAL
from dali_voc.packing._shards import PARTS

__all__ = ["check_same", "describe_run", "take_up", "tidy"]

_PLAN = ".plan.json"


def describe_run(
    config: Config, source: PairIndex, *, split: str, shard_size: int, jpeg_restarts: bool
) -> MadeFrom:
    """Return all that decides what is in a pack; arguments as of `pack_split`."""
    return MadeFrom(
        dataset=config.dataset.name,
        # a path that is not UTF-8 cannot be written as it is
        root=str(config.dataset.path).encode(errors="replace").decode(),
        split=split,
        samples=source.digest(),
        palette=source.spec.palette_rule(config.labels.palette),
        unknown=config.labels.unknown,
        shard_size=shard_size,
        meaning=_meaning(source),
        files=source.files_digest(config.dataset.path),
        state=state_of_files(source)[:16],
        weights=_weights_digest(source),
        jpeg_restarts=RESTART_INTERVAL if jpeg_restarts else 0,
    )


def take_up(folder: Path, made_from: MadeFrom) -> None:
    """Begin a run, or check that one that was interrupted was the same."""
    path = folder / _PLAN
    try:
        check_same(folder, MadeFrom.model_validate_json(path.read_bytes()), made_from)
    except FileNotFoundError:
        write_bytes(path, made_from.model_dump_json(indent=2).encode(), durable=True)
    except ValidationError:
        raise DatasetError(f"{path}: damaged; remove the folder to begin anew") from None
    # of a run that was killed
    for left in folder.glob(".*.part"):
        left.unlink()


def tidy(folder: Path) -> None:
    """Delete what a finished pack has no use for."""
    for left in (folder / _PLAN, *folder.glob(PARTS)):
        left.unlink(missing_ok=True)


def check_same(folder: Path, found: MadeFrom, expected: MadeFrom) -> None:
    theirs, ours = found.model_dump(), expected.model_dump()
    for name in "files", "state":  # of a version that did not write it
        if not theirs[name]:
            del ours[name]
    differing = [name for name in ours if theirs[name] != ours[name]]
    if differing == ["state"]:
        raise DatasetError(
            f"{folder}: was packed from these files, which have changed since (other sizes or "
            "times); remove it to pack them anew, or choose another folder"
        )
    if differing:
        how = "; ".join(f"{k} {theirs[k]!r}, not {ours[k]!r}" for k in differing if k != "state")
        raise DatasetError(
            f"{folder}: was packed in another way ({how}), expected none or the same; choose "
            "another folder, or remove it"
        )


def _weights_digest(source: PairIndex) -> str:
    if source.weights is None:
        return ""
    return hashlib.sha256(source.weights.astype("<f8").tobytes()).hexdigest()[:16]


def _meaning(source: PairIndex) -> str:
    return json_digest(source.meaning()) if source.spec.maps else ""
