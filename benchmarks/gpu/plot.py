"""Pairs per second over batch size, and the sweeps, as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

__all__ = ["write_plot"]

_SWEPT = ("hw_decoder_load", "threads", "prefetch")


def write_plot(result: Mapping[str, Any], path: Path) -> None:
    """Draw medians; lines from lowest to highest."""
    found = {name: outcome.get("result") or {} for name, outcome in result["sections"].items()}
    figure = Figure(figsize=(12, 9), layout="constrained")
    gpu = result["machine"]["gpu"]
    title = f"on {gpu}" if not result["dry_run"] else "DRY RUN on a CPU: says nothing about a GPU"
    figure.suptitle(f"{title}; {result['data']['kind']}")
    axes = figure.subplots(2, 2).flat
    _over_batch_size(
        axes[0],
        {
            "loader": found.get("loader", {}).get("batch_size", {}),
            "cache": found.get("cache", {}).get("batch_size", {}),
        },
    )
    _over_batch_size(axes[1], {"peers": found.get("peers", {}).get("batch_size", {})})
    bound = found.get("bound", {})
    _sweep(axes[2], "hw_decoder_load", {"bound": bound.get("hw_decoder_load", {})})
    sweeps = found.get("sweeps", {})
    _sweep(axes[2], "hw_decoder_load", {"loader": sweeps.get("hw_decoder_load", {})})
    for key in _SWEPT[1:]:
        _sweep(axes[3], "threads, or batches made ahead", {key: sweeps.get(key, {})})
    figure.savefig(path, dpi=100)


def _over_batch_size(axes: Axes, sections: Mapping[str, Any]) -> None:
    for section, sizes in sections.items():
        lines: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
        for size, rows in sizes.items():
            for name, row in rows.items():
                if "pairs_per_second" in row:
                    lines.setdefault(name, []).append((int(size), row))
        for name, points in lines.items():
            label = name.replace("_", " ")
            if section == "cache":
                label = label.replace("loader", "cache: decoded")
            _line(axes, [size for size, _ in points], [row for _, row in points], label)
    axes.set(xlabel="batch size", ylabel="pairs per second", yscale="log")
    axes.set_xscale("log", base=2)
    for axis in axes.xaxis, axes.yaxis:
        axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.set_minor_formatter(StrMethodFormatter("{x:,.0f}"))
    _legend(axes)


def _sweep(axes: Axes, xlabel: str, lines: Mapping[str, Any]) -> None:
    for label, rows in lines.items():
        points = [
            (float(value), row)
            for value, row in rows.items()
            if value not in ("default", "left_out") and "pairs_per_second" in row
        ]
        if points:
            _line(axes, [value for value, _ in points], [row for _, row in points], label)
    axes.set(xlabel=xlabel, ylabel="pairs per second")
    _legend(axes)


def _line(axes: Axes, places: list[Any], rows: list[Mapping[str, Any]], label: str) -> None:
    medians = [row["pairs_per_second"] for row in rows]
    spread = [
        [median - row["lowest"] for median, row in zip(medians, rows, strict=True)],
        [row["highest"] - median for median, row in zip(medians, rows, strict=True)],
    ]
    axes.errorbar(places, medians, yerr=spread, fmt="o-", capsize=3, label=label)


def _legend(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8)
