"""What was asked for, and whether it was met: on one H200 with 16 cores."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["GOALS", "Goal", "best_batch_size", "best_rate", "judge"]

Sections = Mapping[str, Any]  # name: result


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One goal.

    Attributes:
        name: for people.
        bound: the figure has to be at least this; at most, where `at_most`.
        measure: takes the sections' results; None where something is missing.
        at_most: see bound.
    """

    name: str
    bound: float
    measure: Callable[[Sections], float | None]
    at_most: bool = False


def judge(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return goal, figure and verdict; a dry run meets nothing."""
    sections = {name: outcome.get("result") for name, outcome in result["sections"].items()}
    rows = []
    for goal in GOALS:
        figure = None if result["dry_run"] else goal.measure(sections)
        if figure is None or math.isnan(figure):
            verdict, figure = "not measured", None
        elif (figure < goal.bound) if goal.at_most else (figure >= goal.bound):
            verdict = "met"
        else:
            verdict = "not met"
        asked = f"{'below' if goal.at_most else 'at least'} {goal.bound:,g}"
        rows.append({"goal": goal.name, "asked": asked, "figure": figure, "verdict": verdict})
    return rows


def best_rate(rows: Mapping[str, Any], names: Callable[[str], bool]) -> tuple[float, int] | None:
    """Return the highest rate of those whose name is accepted, and at which batch size.

    Args:
        rows: batch size to name to a row of `time_rounds`.
        names: which names.
    """
    rates = [
        (row["pairs_per_second"], int(size))
        for size, by_name in rows.items()
        for name, row in by_name.items()
        if names(name) and row.get("pairs_per_second")
    ]
    return max(rates) if rates else None


def best_batch_size(sections: Sections) -> int | None:
    """Return the batch size at which our loader makes most float32 pairs."""
    best = best_rate(_rows(sections, "loader"), _is_float32)
    return best[1] if best else None


def _rows(sections: Sections, name: str) -> Mapping[str, Any]:
    rows: Mapping[str, Any] = (sections.get(name) or {}).get("batch_size") or {}
    return rows


def _is_float32(name: str) -> bool:
    return name.startswith("float32")


def _of_bound(sections: Sections) -> float | None:
    """Of the fastest float32 row."""
    shares = [
        (row["pairs_per_second"], row["of_bound"])
        for by_name in _rows(sections, "loader").values()
        for name, row in by_name.items()
        if _is_float32(name) and row.get("of_bound")
    ]
    return max(shares)[1] if shares else None


def _pairs(sections: Sections) -> float | None:
    best = best_rate(_rows(sections, "loader"), _is_float32)
    return best[0] if best else None


def _times_dataloader(sections: Sections) -> float | None:
    """Ours at its best batch size over the best DataLoader at its own."""
    rows = _rows(sections, "peers")
    loaders = {name for by in rows.values() for name, row in by.items() if row.get("is_dataloader")}
    ours = best_rate(rows, lambda name: name == "loader")
    theirs = best_rate(rows, loaders.__contains__)
    return ours[0] / theirs[0] if ours and theirs else None


def _slowest_kernel(sections: Sections) -> float | None:
    kernels = (sections.get("kernels") or {}).get("kernels") or {}
    ours = [row for row in kernels.values() if row.get("ours")]
    return min((row["of_copy"] for row in ours), default=None)


def _waiting(sections: Sections) -> float | None:
    """The larger of the two ways to measure it."""
    row = (sections.get("training") or {}).get("deeplabv3_resnet50") or {}
    if "waiting_share_by_steps" not in row:
        return None
    return max(row["waiting_share_by_steps"], row["waiting_share_by_host"])


def _cached(sections: Sections) -> float | None:
    best = best_rate(_rows(sections, "cache"), lambda name: name.startswith("loader"))
    return best[0] if best else None


GOALS = (
    Goal(name="share of the bound, float32", bound=0.95, measure=_of_bound),
    Goal(name="VOC pairs/s, float32", bound=20_000, measure=_pairs),
    Goal(name="times the best torch DataLoader", bound=20, measure=_times_dataloader),
    Goal(name="our slowest kernel, of copy bandwidth", bound=0.8, measure=_slowest_kernel),
    Goal(
        name="waiting, share of a DeepLabV3-ResNet50 step",
        bound=0.01,
        measure=_waiting,
        at_most=True,
    ),
    Goal(name="pairs/s with the GPU cache", bound=100_000, measure=_cached),
)
