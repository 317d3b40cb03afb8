"""The benchmark's result: as JSON with everything, as CSV with a row per loader, as a plot."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.cpu.peers import PEERS
from dali_voc.benchmarking import Timing, describe_machine
from dali_voc.config import Config

__all__ = ["as_csv", "summary", "write_plot"]

_COLUMNS = ("pairs_per_second", "lowest", "highest", "of_bound", "cpu_ms_per_pair", "memory_mib")


def summary(
    config: Config,
    timings: Mapping[str, Timing],
    *,
    split: str,
    seconds: float,
    not_installed: Mapping[str, tuple[str, ...]],
    aligned: Mapping[str, int],
) -> dict[str, Any]:
    """Return what is kept of a run.

    Args:
        config: what all followed.
        timings: by key of `PEERS`.
        split: what was read.
        seconds: length of each measurement.
        not_installed: what peers that were left out lack.
        aligned: pairs of the encoded data set that were checked, by peer.
    """
    bound = timings["bound"].median if "bound" in timings else None
    return {
        "loaders": {
            name: {
                "title": PEERS[name].title,
                "same_work": PEERS[name].same_work,
                "pairs_per_second": timing.median,
                "lowest": min(timing.rates),
                "highest": max(timing.rates),
                "of_bound": timing.median / bound if bound else None,
                "cpu_ms_per_pair": statistics.median(timing.cpu_ms),
                "memory_mib": timing.memory_mib,
                "rounds": timing.rates,
                "pairs_checked_for_alignment": aligned.get(name, 0),
                "versions": PEERS[name].versions(),
            }
            for name, timing in timings.items()
        },
        "not_installed": {
            name: {"title": PEERS[name].title, "lacks": lacks}
            for name, lacks in not_installed.items()
        },
        "memory": "peak proportional set size (PSS) of the process and its children",
        "seconds_per_round": seconds,
        "split": split,
        "config": config.model_dump(mode="json"),
        "machine": describe_machine(),
    }


def as_csv(result: Mapping[str, Any]) -> str:
    """Return a row per loader; of those that are not installed, what they lack."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["loader", "title", *_COLUMNS, "versions"])
    for name, row in result["loaders"].items():
        versions = " ".join(f"{package}=={number}" for package, number in row["versions"].items())
        rows.writerow([name, row["title"], *(row[column] for column in _COLUMNS), versions])
    for name, row in result["not_installed"].items():
        lacks = " ".join(row["lacks"])
        rows.writerow([name, row["title"], *[""] * len(_COLUMNS), f"not installed: {lacks}"])
    return text.getvalue()


def write_plot(result: Mapping[str, Any], path: Path) -> None:
    """Draw medians as bars, lowest to highest as lines, and the ratio to the bound."""
    rows = sorted(result["loaders"].items(), key=lambda row: row[1]["pairs_per_second"])
    figure = Figure(figsize=(10, 0.42 * len(rows) + 1.4), layout="constrained")
    axes = figure.subplots()
    for place, (name, row) in enumerate(rows):
        median = row["pairs_per_second"]
        others = "#4c72b0" if row["same_work"] else "#b0b0b0"
        color = "#c44e52" if name.startswith("loader") else others
        spread = [[median - row["lowest"]], [row["highest"] - median]]
        axes.barh(place, median, color=color, xerr=spread, ecolor="#303030", capsize=3)
        ratio = f"  ({row['of_bound']:.2f})" if row["of_bound"] else ""
        axes.annotate(
            f"{median:,.0f}{ratio}",
            (row["highest"], place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(rows)), [row["title"] for _, row in rows], fontsize=9)
    axes.margins(x=0.14)
    axes.set_xlabel(
        "pairs per second: median, lowest to highest (of the bound); gray: not the same work"
    )
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
