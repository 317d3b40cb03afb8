"""Our loader beside other ways to load onto a GPU, batch size by batch size."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu.contestants import loader
from benchmarks.gpu.peers import PEERS
from benchmarks.gpu.rounds import Contestant, in_a_sentence, time_rounds
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import Settings

__all__ = ["run"]


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time all that are installed."""
    installed = [name for name, peer in PEERS.items() if not peer.missing()]
    found: dict[str, Any] = {
        "batch_size": {},
        "not_installed": {
            name: {"title": peer.title, "lacks": list(peer.missing())}
            for name, peer in PEERS.items()
            if name not in installed
        },
    }
    for size in settings.batch_sizes:
        config = settings.config(batch_size=size)
        contestants: dict[str, Contestant] = {}
        unusable: dict[str, dict[str, str]] = {}
        for name in installed:
            try:
                contestants[name] = PEERS[name].contestant(config)
            except Exception as e:  # installed, but cannot be imported
                unusable[name] = {"title": PEERS[name].title, "error": in_a_sentence(e)}
        contestants["loader"] = loader(config)
        rows = time_rounds(contestants, rounds=settings.rounds, seconds=settings.seconds)
        for name, row in rows.items():
            row["is_dataloader"] = name in PEERS and PEERS[name].is_dataloader
        found["batch_size"][str(size)] = {**rows, **unusable}
        note(found)
    demand(found)
    return found
