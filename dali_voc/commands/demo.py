"""`dali-voc demo`: an epoch of made-up or real data, figures, and a picture to look at."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.markup import escape

from dali_voc._files import make_folder, write_bytes
from dali_voc.commands._options import JsonFile, Quiet, Settings, expand_path
from dali_voc.commands._output import Output, open_output
from dali_voc.commands._progress import show_progress
from dali_voc.config import parse_config
from dali_voc.synthetic import write_voc

if TYPE_CHECKING:
    import torch

    from dali_voc.loader import Loader

__all__ = ["demo"]

_SHOWN = 6


def demo(
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            callback=expand_path,
            help="Real data: VOC2012. Default: made-up data.",
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER",
            callback=expand_path,
            help="For the picture and the made-up data.",
        ),
    ] = Path("dali-voc-demo"),
    settings: Settings = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Load an epoch, print what comes out and how fast, and leave a picture of it.

    Example: dali-voc demo --root /data/VOCdevkit/VOC2012 --set loader.batch_size=32
    """
    output = open_output(json=json, quiet=quiet)
    made_up = out / "VOCdevkit/VOC2012"
    config = parse_config(
        {"dataset": {"root": str(root or made_up)}, "loader": {"batch_size": 16}},
        overrides=settings or [],
    )
    from dali_voc._build_loader import build_loader
    from dali_voc.previewing import contact_sheet

    make_folder(out)
    if root is None:
        write_voc(made_up)
        output.say(f"made-up data in VOC's layout: [bold]{escape(str(made_up))}[/]")
    # a picture shows class indices
    shown = config.labels.model_copy(update={"one_hot": False, "masks": None})
    config = config.model_copy(update={"labels": shown})
    picture = out / "batch.png"
    with build_loader(config, split="train") as loader:
        images, labels, facts = _one_epoch(output, loader)
        sheet = contact_sheet(
            images[:_SHOWN],
            [labels[:_SHOWN]],
            normalize=config.normalize,
            spec=loader.spec,
            ignore_index=config.labels.ignore_index,
        )
    data = io.BytesIO()
    sheet.save(data, "PNG")
    write_bytes(picture, data.getvalue())
    output.write({**facts, "picture": str(picture)})
    output.say(f"picture of a batch: [bold]{escape(str(picture))}[/]")


def _one_epoch(output: Output, loader: Loader) -> tuple[torch.Tensor, torch.Tensor, dict[str, Any]]:
    """Return the first of the largest batches, and what there is to say."""
    begin = time.perf_counter()
    pairs, first, first_pairs = 0, 0.0, 0
    largest: Any = None
    with show_progress(output.console, "one epoch", unit="batches") as progress:
        for done, (images, labels, *_) in enumerate(loader, start=1):
            progress(done, len(loader))
            pairs += len(images)
            if not first_pairs:
                first, first_pairs = time.perf_counter() - begin, len(images)
            if largest is None or len(images) > len(largest[0]):
                largest = images, labels
    elapsed = time.perf_counter() - begin
    images, labels = largest
    facts: dict[str, Any] = {"pairs": pairs, "seconds": elapsed, "first_batch_seconds": first}
    for name, batch in ("images", images), ("labels", labels):
        kind = str(batch.dtype).removeprefix("torch.")
        output.say(f"{name}  {kind:8} {escape(str(list(batch.shape)))} on {batch.device}")
        facts[name] = {"dtype": kind, "shape": list(batch.shape), "device": str(batch.device)}
    facts["classes"] = _class_names(loader, labels)
    output.say(f"classes in this batch: {escape(', '.join(facts['classes']))}")
    line = f"{pairs} pairs in {elapsed:.2f} s; the first batch took {first:.2f} s"
    if pairs > first_pairs:
        rate = facts["pairs_per_second"] = (pairs - first_pairs) / (elapsed - first)
        line += f", the rest came at {rate:,.0f} pairs/s"
    output.say(line)
    return images, labels, facts


def _class_names(loader: Loader, labels: torch.Tensor) -> list[str]:
    names = loader.spec.classes
    return [names[i] if i < len(names) else f"void ({i})" for i in np.unique(labels.cpu().numpy())]
