"""`dali-voc bench`: the loader, decoding alone and the textbook's way, timed in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from dali_voc.commands._options import ConfigFile, JsonFile, Quiet, Settings, Split
from dali_voc.commands._output import open_output
from dali_voc.config import Config, load_config
from dali_voc.datasets import find_index

if TYPE_CHECKING:
    from dali_voc.benchmarking import Timing

__all__ = ["bench"]

_ROWS = {
    "loader": "this loader",
    "bound": "DALI decodes the images and does nothing else",
    "reference": "the textbook: DataLoader, 2 workers, Pillow, RGB table",
}


def bench(
    config: ConfigFile,
    split: Split = "train",
    settings: Settings = None,
    rounds: Annotated[int, typer.Option(min=1, metavar="N", help="Measurements of each.")] = 5,
    seconds: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Length of each measurement.")
    ] = 3.0,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Time the whole loader, decoding alone, and the textbook's DataLoader, interleaved.

    The loader may be faster than DALI's decoding alone: its own decoder makes no more of a JPEG
    than the crop needs. The textbook's is timed for voc2012 only.

    Example: dali-voc bench configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    output = open_output(json=json, quiet=quiet)
    checked = load_config(config, overrides=settings or [])
    # before processes are started; whatever loader.on_error is, decoding alone goes on after none
    find_index(checked.dataset, split)
    from dali_voc.benchmarking import run_rounds
    from dali_voc.doctoring._limits import check_shared

    names = tuple(_ROWS)
    left_out = ""
    if checked.dataset.name != "voc2012" or checked.dataset.unlabeled:
        left_out = "the textbook's way reads voc2012 with labels alone, and was not timed"
    shared = check_shared(checked)
    if not left_out and shared.level != "ok":
        left_out = f"the textbook's way was not timed: {shared.found}; {shared.advice}"
    if left_out:
        names = tuple(name for name in names if name != "reference")
    with Progress(console=output.console, transient=True) as progress:
        task = progress.add_task("warming up", total=rounds * len(names))
        timings = run_rounds(
            checked,
            split=split,
            names=names,
            rounds=rounds,
            seconds=seconds,
            progress=lambda name: progress.update(task, advance=1, description=f"timed {name}"),
        )
    result = _summary(checked, timings, split=split, seconds=seconds)
    output.write(result)
    output.console.print(_table(timings))
    beside = result["reference_ratio"]
    if left_out:
        output.say(left_out)
    textbook = "" if beside is None else f"{beside:.2f} times the textbook, "
    output.say(f"{textbook}{result['bound_ratio']:.2f} of DALI's decoding alone")


def _summary(
    config: Config, timings: dict[str, Timing], *, split: str, seconds: float
) -> dict[str, object]:
    from dali_voc.benchmarking import describe_machine

    medians = {name: timing.median for name, timing in timings.items()}
    loader, reference = medians["loader"], medians.get("reference")
    return {
        "pairs_per_second": loader,
        "reference_ratio": loader / reference if reference else None,
        "bound_ratio": loader / medians["bound"],
        "rounds": {name: list(timing.rates) for name, timing in timings.items()},
        "medians": medians,
        "seconds_per_round": seconds,
        "split": split,
        "config": config.model_dump(mode="json"),
        "machine": describe_machine(),
    }


def _table(timings: dict[str, Timing]) -> Table:
    table = Table()
    table.add_column("loader")
    for heading in "pairs/s, median", "lowest", "highest":
        table.add_column(heading, justify="right")
    for name, timing in timings.items():
        figures = (timing.median, min(timing.rates), max(timing.rates))
        table.add_row(_ROWS[name], *(f"{figure:,.0f}" for figure in figures))
    return table
