"""Checks of the data set's files and of the storage that they are on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dali_voc.doctoring._child import Outcome
from dali_voc.doctoring._finding import Finding

__all__ = ["check_data", "check_storage"]

_VOC_PAIR = 0.11e6  # bytes of image and label, on average
_WORTH = 2.0  # times the rate; less is not worth more threads
_FEW = 0.1  # share of files that may have come from the page cache


def check_data(read: Outcome, *, split: str) -> Finding:
    """Say whether the split's pairs could be listed.

    Args:
        read: what came of the probe `storage`.
        split: name of the split.
    """
    if "pairs" in read.facts:
        return Finding.ok("data set", f"{read.facts['pairs']:,} pairs of '{split}'")
    return Finding.failure(
        "data set",
        str(read.trouble),
        advice="if dataset.root is not where the data are, set it ('dali-voc download' fetches "
        "some data sets); 'dali-voc verify' goes through all files",
    )


def check_storage(read: Outcome, *, of_split: bool, needed: float | None) -> Finding:
    """Say how fast files were read, and whether a loader would wait for them.

    Args:
        read: what came of the probe `storage`.
        of_split: whether the files were a split's images and labels in turns.
        needed: pairs per second that a loader takes when it need not wait.
    """
    name, facts = "storage", read.facts
    if read.trouble is not None:
        return Finding.failure(
            name, read.trouble, advice="see whether the files can be read and the mount answers"
        )
    if facts.get("unreadable"):
        return Finding.warning(
            name,
            f"{facts['unreadable']} of the files that were to be read cannot be: {facts['why']}",
            advice="'dali-voc verify' lists bad files; in a container, see which user it runs as",
        )
    if facts["files"] == 0:
        return Finding.warning(name, "no files with content found", advice="name another folder")
    files, size, seconds = facts["files"], facts["bytes"], facts["seconds"]
    found = (
        f"{size / seconds / 1e6:,.0f} MB/s, {files / seconds:,.0f} files/s "
        f"({files:,} files, {size / 1e6:,.1f} MB{_on(facts['system'])})"
    )
    cold = facts["cached"] + facts["unknown"] <= _FEW * files
    found += f", {_source(facts)}"
    pair = 2 * size / files if of_split else _VOC_PAIR
    if needed is None:
        return Finding.ok(name, found)
    pairs = size / seconds / pair
    as_voc = "" if of_split else f" of {_VOC_PAIR / 1e6} MB, as VOC's are"
    found += f"; that is {pairs:,.0f} pairs/s{as_voc}, and the loader here can take {needed:,.0f}"
    # memory says nothing of the storage
    advice = _advice(facts, pair, pairs=pairs, needed=needed) if cold else None
    if advice is None:
        return Finding.ok(name, found)
    return Finding.warning(name, found + advice[0], advice=advice[1])


def _advice(
    facts: Mapping[str, Any], pair: float, *, pairs: float, needed: float
) -> tuple[str, str] | None:
    """Return what else was found, and what to do, where a loader would wait; `pair` is in bytes."""
    threads, seconds = facts.get("more_threads"), facts.get("more_seconds")
    by_more = facts["more_bytes"] / seconds / pair if seconds else 0.0
    # what the loader takes was perhaps measured on this storage
    if by_more > _WORTH * pairs and pairs < _WORTH * needed:
        return f"; {threads} threads read {by_more:,.0f} pairs/s", (
            "files take long to open, and more threads wait for more of them at once: "
            f"loader.threads={threads}; or pack the data ('dali-voc pack'), or put them on a local "
            "disk; 'cache: encoded' or 'decoded' spares later epochs"
        )
    if pairs < needed:
        return "", (
            "the first epoch will wait for storage: put the data on a local disk, or pack them "
            "('dali-voc pack'); 'cache: encoded' or 'decoded' spares later epochs"
        )
    return None


def _on(system: str | None) -> str:
    return f" on {system}" if system else ""


def _source(facts: Mapping[str, Any]) -> str:
    files, cached, unknown = facts["files"], facts["cached"], facts["unknown"]
    if cached + unknown <= _FEW * files:
        return "read from the storage itself"
    if cached >= unknown:
        return (
            f"{100 * cached / files:.0f} % of them from memory, as they cannot be put out of the "
            "page cache: the storage may be slower"
        )
    return "perhaps from memory, as this file system does not tell: the storage may be slower"
