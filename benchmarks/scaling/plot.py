"""The curves as one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

__all__ = ["write_plot"]


def write_plot(result: Mapping[str, Any], path: Path) -> None:
    """Draw pairs per second against each size, and planning against the data set's."""
    figure = Figure(figsize=(14, 7), layout="constrained")
    axes = figure.subplots(2, 3)
    curves = (
        ("threads", "threads"),
        ("batch_size", "batch size"),
        ("picture_pixels", "pixels of a picture"),
        ("data_set", "samples (links to few files)"),
    )
    for axis, (key, label) in zip(axes.flat[:4], curves, strict=True):
        sizes = list(result[key])
        axis.plot(sizes, [row["pairs_per_second"] for row in result[key].values()], "o-")
        axis.set(xlabel=label, ylabel="pairs per second", ylim=(0, None), xscale="log")
    rows = result["planning"]
    counts = [row["samples"] for row in rows]
    axis = axes.flat[4]
    for key in "index_us_per_sample", "order_us_per_sample", "batches_us_per_sample":
        axis.plot(counts, [row[key] for row in rows], "o-", label=key.partition("_")[0])
    axis.set(xlabel="samples", ylabel="microseconds per sample", xscale="log", ylim=(0, None))
    axis.legend()
    axis = axes.flat[5]
    axis.plot(counts, [row["bytes_per_sample"] for row in rows], "o-", label="held")
    axis.plot(counts, [row["peak_bytes_per_sample"] for row in rows], "o-", label="peak")
    axis.axhline(200, color="gray", linestyle="--", label="200")
    axis.set(xlabel="samples", ylabel="bytes per sample", xscale="log", yscale="log")
    axis.legend()
    figure.savefig(path, dpi=100)
