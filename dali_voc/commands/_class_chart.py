"""A chart of how often each class occurs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dali_voc.stats import ClassStats

__all__ = ["class_chart"]

_INK, _FAINT, _NEVER = "#222222", "#d9d9d9", "#b23a1e"
_PIXELS, _PICTURES = "#3b6ea5", "#7a9e5f"


def class_chart(stats: ClassStats) -> bytes:
    """Draw two bars for each class: its share of the pixels and of the pictures.

    Args:
        stats: how often each class occurs.

    Returns:
        A PNG; the most frequent class is at the top, classes that do not occur are at the bottom.
    """
    from matplotlib.figure import Figure  # it takes a while

    order = sorted(range(len(stats.classes)), key=lambda c: -stats.pixels[c])
    names = [stats.classes[c] for c in order]
    pixels = [100 * stats.pixels[c] / max(sum(stats.pixels), 1) for c in order]
    counts = stats.pictures
    pictures = [100 * counts[c] / max(stats.labels, 1) for c in order]
    figure = Figure(figsize=(9, 1.1 + 0.24 * len(order)), dpi=150, layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    figure.suptitle(
        f"{stats.dataset}, {stats.split}: classes in {stats.labels:,} labels",
        color=_INK,
        fontsize=11,
        parse_math=False,
    )
    _bars(left, pixels, title="share of pixels (log axis)", color=_PIXELS, scale="log")
    _bars(right, pictures, title="share of pictures that show it", color=_PICTURES)
    smallest = min((share for share in pixels if share > 0), default=1.0)
    left.set_xlim(smallest / 3, 500)
    right.set_xlim(0, 118)
    left.set_yticks(range(len(order)), names)
    left.set_ylim(len(order) - 0.4, -0.6)
    for place, (tick, share) in enumerate(zip(left.get_yticklabels(), pixels, strict=True)):
        tick.set_parse_math(False)
        if not share:
            tick.set_color(_NEVER)
            left.text(
                *(0.02, place, "never"),
                transform=left.get_yaxis_transform(),
                va="center",
                fontsize=7,
                color=_NEVER,
            )
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _bars(
    axes: Axes, shares: list[float], *, title: str, color: str, scale: str = "linear"
) -> None:
    axes.set_xscale(scale)
    bars = axes.barh(range(len(shares)), shares, height=0.72, color=color)
    texts = [_percent(share) if share else "" for share in shares]
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.bar_label(bars, texts, padding=3, fontsize=7, color=_INK, bbox=ground)
    axes.set_title(title, fontsize=9, color=_INK)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} %")
    axes.minorticks_off()
    axes.grid(axis="x", color=_FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8, colors=_INK, length=0)
    axes.spines[:].set_visible(False)


def _percent(share: float) -> str:
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.2g} %"
