"""`dali-voc preview`: pictures of samples as the network will see them."""

from __future__ import annotations

import io
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from PIL import Image, PngImagePlugin
from rich.markup import escape

from dali_voc._files import write_bytes, write_text
from dali_voc.commands._options import ConfigFile, JsonFile, Quiet, Settings, Split, expand_path
from dali_voc.commands._output import open_output
from dali_voc.config import Config, load_config
from dali_voc.errors import printable

if TYPE_CHECKING:
    from dali_voc.loader import Loader
    from dali_voc.previewing import Shown

__all__ = ["preview"]

_DEFAULT = Path("preview.png")


def preview(
    config: ConfigFile,
    split: Split = "train",
    epoch: Annotated[int, typer.Option(min=0, metavar="N", help="Each epoch crops anew.")] = 0,
    count: Annotated[int, typer.Option(min=1, max=1000, metavar="N", help="How many samples.")] = 8,
    first: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many of the epoch's samples to skip.")
    ] = 0,
    samples: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME,...", help="Names, or places in the split's list, instead of the first."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            callback=expand_path,
            help="The sheet, PNG. Default: preview.png, without --html.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", callback=expand_path, help="A page to click through, one file, HTML."
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Show beside it what is stored, and the window that was cut out."
        ),
    ] = False,
    columns: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Samples side by side on the sheet.")
    ] = None,
    size: Annotated[
        int,
        typer.Option(
            min=16, max=4096, metavar="N", help="Longest side of a picture on the sheet, pixels."
        ),
    ] = 512,
    settings: Settings = None,
    json: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Draw samples as the network will see them: image beside label, with the classes' names.

    They come out of the loader's own batches, after every augmentation; a split whose name begins
    with "train" has training's.

    Example: dali-voc preview configs/voc2012.yaml --set dataset.root=/data/VOCdevkit/VOC2012
    """
    if out is None and html is None:
        out = _DEFAULT
    output = open_output(json=json, quiet=quiet, sheet=out, page=html)
    checked = load_config(config, overrides=settings or [])
    from dali_voc._build_loader import build_loader
    from dali_voc.previewing import find_samples, make_page, sheet_of, take_first, take_named

    # what runs ahead would be thrown away
    ahead = checked.loader.model_copy(update={"prefetch": 1})
    with build_loader(checked.model_copy(update={"loader": ahead}), split=split) as loader:
        if samples is not None:
            chosen = find_samples(loader.index, samples)
            shown = take_named(loader, checked, chosen, epoch=epoch, compare=compare)
        else:
            shown = take_first(
                loader, checked, epoch=epoch, first=first, count=count, compare=compare
            )
        title = _title(checked, loader, split, epoch)
        spec, ignored = loader.spec, checked.labels.ignore_index
    if out is not None:
        sheet = sheet_of(
            shown,
            spec=spec,
            ignore_index=ignored,
            title=title,
            compare=compare,
            columns=columns,
            size=size,
        )
        write_bytes(out, _png(sheet.picture, shown, title))
        output.say(f"sheet: [bold]{escape(str(out))}[/]")
    if html is not None:
        write_text(html, make_page(shown, spec=spec, ignore_index=ignored, title=title))
        output.say(f"page: [bold]{escape(str(html))}[/]")
    output.write(
        {
            "title": title,
            "samples": [one.name for one in shown],
            "sheet": str(out) if out else None,
            "page": str(html) if html else None,
        }
    )


def _title(config: Config, loader: Loader, split: str, epoch: int) -> str:
    many = f"{len(loader.index):,} samples" if len(loader.index) != 1 else "1 sample"
    return f"{config.dataset.name} {split}, epoch {epoch}, seed {config.loader.seed}, {many}"


def _png(picture: Image.Image, shown: list[Shown], title: str) -> bytes:
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Title", title)
    names = [printable(one.name) for one in shown]
    about.add_itxt("Samples", dumps(names, ensure_ascii=False))
    data = io.BytesIO()
    picture.save(data, "png", pnginfo=about)
    return data.getvalue()
