"""`dali-voc stats`: how often each class occurs, as a table, a file and a chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from dali_voc._files import write_bytes
from dali_voc.commands._class_chart import class_chart
from dali_voc.commands._options import ConfigFile, JsonFile, Quiet, Settings, Split, expand_path
from dali_voc.commands._output import open_output
from dali_voc.commands._progress import show_progress
from dali_voc.config import load_config

if TYPE_CHECKING:
    from dali_voc.stats import ClassStats

__all__ = ["stats"]


def stats(
    config: ConfigFile,
    split: Split = "train",
    settings: Settings = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            callback=expand_path,
            help="The file of counts. Default: what sampling.stats says.",
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=expand_path,
            help="The chart, PNG. Default: beside the counts, .png.",
        ),
    ] = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Count each class's pixels and pictures, for `sampling: balanced` and loss weights.

    Example: dali-voc stats configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    checked = load_config(config, overrides=settings or [])
    out = checked.sampling.stats_path if out is None else out
    # not with_suffix, which fails on '.' before it is said what is wrong with it
    beside = chart is None
    chart = out.parent / f"{out.stem}.png" if chart is None else chart
    if beside and str(out.absolute().parent) in ("/dev", "/dev/fd", "/proc/self/fd"):
        raise typer.BadParameter(f"{out} is no file: say where the chart goes, by --chart FILE")
    output = open_output(json=json, quiet=quiet, counts=out, chart=chart)
    from dali_voc.counting import count_classes
    from dali_voc.stats import loss_weights

    with show_progress(output.console, split, unit="labels") as progress:
        counted = count_classes(checked, split=split, progress=progress)
    weights = loss_weights(counted, method="median").tolist()
    counted.save(out)
    write_bytes(chart, class_chart(counted))
    output.write(_facts(counted, weights, split=split, counts=out, chart=chart))
    output.console.print(_table(counted, weights))
    has_own_values = checked.dataset.name in ("folder", "voc_layout") and not checked.dataset.map
    for line in _summary(counted, has_own_values=has_own_values):
        output.say(line)
    for what, path in ("counts, for sampling.stats", out), ("chart", chart):
        output.say(f"{what}: [bold]{escape(str(path))}[/]")


def _facts(
    counted: ClassStats, weights: list[float], *, split: str, counts: Path, chart: Path
) -> dict[str, Any]:
    rows = zip(counted.classes, counted.pixels, counted.pictures, weights, strict=True)
    names = "class", "pixels", "pictures", "loss_weight"
    return {
        "split": split,
        "labels": counted.labels,
        "unlabeled": counted.unlabeled,
        "classes": [dict(zip(names, row, strict=True)) for row in rows],
        "void_pixels": counted.void_pixels,
        "bad_files": len(counted.bad_files),
        "counts": str(counts),
        "chart": str(chart),
    }


def _table(counted: ClassStats, weights: list[float]) -> Table:
    table = Table()
    table.add_column("class")
    for heading in "pixels", "share", "pictures", "share", "loss weight":
        table.add_column(heading, justify="right")
    all_pixels, all_pictures = sum(counted.pixels), counted.labels
    rows = zip(counted.classes, counted.pixels, counted.pictures, weights, strict=True)
    for name, pixels, pictures, weight in rows:
        if not pixels:
            table.add_row(escape(name), "never", "", "", "", "", style="yellow")
            continue
        table.add_row(
            escape(name),
            f"{pixels:,}",
            _percent(pixels / all_pixels),
            f"{pictures:,}",
            _percent(pictures / all_pictures),
            f"{weight:,.3f}",
        )
    return table


def _percent(share: float) -> str:
    """Return two digits after the point, or as many as a small share needs."""
    return f"{100 * share:.2f} %" if share >= 0.0001 else f"{100 * share:.1g} %"


def _summary(counted: ClassStats, *, has_own_values: bool) -> list[str]:
    void = counted.void_pixels / max(sum(counted.pixels) + counted.void_pixels, 1)
    nothing = sum(not classes for classes in counted.sample_classes)
    empty = nothing - len(counted.bad_files) - counted.unlabeled
    lines = [
        f"{counted.labels:,} labels, {_percent(void)} of their pixels void, "
        "which the shares leave out; loss weights by median frequency"
    ]
    never = [name for name, n in zip(counted.classes, counted.pixels, strict=True) if not n]
    if never and counted.void_pixels and has_own_values:
        lines.append(
            f"classes that never occur: {len(never):,}; if they should, say by dataset.map which "
            "values mean them: without it 255 is void"
        )
    if empty:
        lines.append(f"labels without a class, which balanced sampling never draws: {empty:,}")
    if counted.unlabeled:
        lines.append(
            f"pictures without a label, which are not counted and which balanced sampling never "
            f"draws: {counted.unlabeled:,}"
        )
    if counted.bad_files:
        bad = len(counted.bad_files)
        lines.append(f"labels that could not be read and count as showing nothing: {bad:,}")
    return lines
