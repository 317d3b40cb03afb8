"""`dali-voc demo`: an epoch of made-up or real data, figures, and a picture to look at."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dali_voc.config import parse_config
from dali_voc.loader import Loader, build_loader
from dali_voc.previewing import contact_sheet
from dali_voc.synthetic import write_voc

__all__ = ["demo"]

_SHOWN = 6


def demo(
    root: Annotated[
        Path | None, typer.Option(help="Real data: the folder VOC2012. Default: made-up data.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the picture and the made-up data.")] = Path(
        "dali-voc-demo"
    ),
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a key: loader.batch_size=8."),
    ] = None,
) -> None:
    """Load an epoch, print what comes out and how fast, and leave a picture of it.

    Example: dali-voc demo --root /data/VOCdevkit/VOC2012 --set loader.batch_size=32
    """
    console = Console()
    if root is None:
        root = write_voc(out / "VOCdevkit/VOC2012")
        console.print(f"made-up data in VOC's layout: [bold]{root}[/]")
    config = parse_config(
        {"dataset": {"root": str(root)}, "loader": {"batch_size": 16}}, overrides=settings or []
    )
    # a picture shows class indices
    shown = config.labels.model_copy(update={"one_hot": False, "masks": None})
    config = config.model_copy(update={"labels": shown})
    with build_loader(config, split="train") as loader:
        images, labels = _one_epoch(console, loader)
        sheet = contact_sheet(
            images[:_SHOWN],
            [labels[:_SHOWN]],
            normalize=config.normalize,
            spec=loader.spec,
            ignore_index=config.labels.ignore_index,
        )
    out.mkdir(parents=True, exist_ok=True)
    picture = out / "batch.png"
    sheet.save(picture)
    console.print(f"picture of a batch: [bold]{picture}[/]")


def _one_epoch(console: Console, loader: Loader) -> tuple[torch.Tensor, torch.Tensor]:
    begin = time.perf_counter()
    pairs, first, first_pairs = 0, 0.0, 0
    largest: Any = None
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("batches"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        for images, labels, *_ in progress.track(loader, description="one epoch"):
            pairs += len(images)
            if not first_pairs:
                first, first_pairs = time.perf_counter() - begin, len(images)
            if largest is None or len(images) >= len(largest[0]):
                largest = images, labels
    elapsed = time.perf_counter() - begin
    images, labels = largest
    for name, batch in ("images", images), ("labels", labels):
        kind = str(batch.dtype).removeprefix("torch.")
        console.print(f"{name}  {kind:8} {list(batch.shape)} on {batch.device}", highlight=False)
    console.print(f"classes in this batch: {', '.join(_class_names(loader, labels))}")
    line = f"{pairs} pairs in {elapsed:.2f} s; the first batch took {first:.2f} s"
    if pairs > first_pairs:
        line += f", the rest came at {(pairs - first_pairs) / (elapsed - first):,.0f} pairs/s"
    console.print(line, highlight=False)
    return images, labels


def _class_names(loader: Loader, labels: torch.Tensor) -> list[str]:
    names = loader.spec.classes
    return [names[i] if i < len(names) else f"void ({i})" for i in np.unique(labels.cpu().numpy())]
