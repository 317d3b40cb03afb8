"""Our loader beside other ways to load onto a GPU, batch size by batch size.

Before the timing each is checked on an encoded data set: alignment of every pixel, each sample once
per epoch. Who fails is not timed.
"""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.cpu.alignment import check_batches, encoded_config
from benchmarks.cpu.encoded_voc import write_encoded_voc
from benchmarks.gpu.contestants import loader
from benchmarks.gpu.peers import PEERS
from benchmarks.gpu.rounds import Contestant, in_a_sentence, time_rounds
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import Settings
from dali_voc.config import Config

__all__ = ["run"]

_OURS = "loader"


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Check and time all that are installed."""
    lacking = {name: peer.missing() for name, peer in PEERS.items()}
    found: dict[str, Any] = {
        "not_installed": {
            name: {"title": PEERS[name].title, "lacks": list(lacks)}
            for name, lacks in lacking.items()
            if lacks
        },
        "pairs_checked_for_alignment": _check_all(
            (*(name for name, lacks in lacking.items() if not lacks), _OURS), settings
        ),
        "batch_size": {},
    }
    note(found)
    checked = [n for n, row in found["pairs_checked_for_alignment"].items() if "error" not in row]
    for size in settings.batch_sizes:
        config = settings.config(batch_size=size)

        def keep(rows: dict[str, dict[str, Any]], size: int = size) -> None:
            for name, row in rows.items():
                row["is_dataloader"] = name in PEERS and PEERS[name].is_dataloader
            found["batch_size"][str(size)] = rows
            note(found)

        time_rounds(
            {name: _contestant(name, config) for name in checked},
            rounds=settings.rounds,
            seconds=settings.seconds,
            note=keep,
        )
    demand(found)
    return found


def _contestant(name: str, config: Config) -> Contestant:
    return loader(config) if name == _OURS else PEERS[name].contestant(config)


def _check_all(names: tuple[str, ...], settings: Settings) -> dict[str, dict[str, Any]]:
    """Return by name how many pairs were right, or the error."""
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        root = write_encoded_voc(Path(folder) / "voc")
        config = encoded_config(root, device=settings.device)
        for name in names:
            try:
                with contextlib.closing(_contestant(name, config).start()) as batches:
                    found[name] = {"pairs": check_batches(name, batches, config)}
            except Exception as e:  # of any library: the others are timed all the same
                found[name] = {"error": in_a_sentence(e)}
    return found
