"""A sheet of a batch in hand, with one label or several: truth, prediction."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from PIL import Image

from dali_voc.config import NormalizeConfig
from dali_voc.labels import LabelSpec
from dali_voc.pictures import denormalize
from dali_voc.previewing._codes import find_entries, to_codes
from dali_voc.previewing._panels import Panel
from dali_voc.previewing._sheet import Cell, draw_sheet

__all__ = ["contact_sheet"]


def contact_sheet(
    images: torch.Tensor,
    labels: Sequence[torch.Tensor],
    *,
    normalize: NormalizeConfig,
    spec: LabelSpec,
    ignore_index: int = 255,
    columns: int | None = None,
    names: Sequence[str] = (),
    headings: Sequence[str] = (),
) -> Image.Image:
    """Lay out each image with one or more coloured label maps to its right, and a legend.

    Args:
        images: normalised, [n, 3, height, width].
        labels: one or more batches of class indices, each [n, height, width]: truth, prediction.
        normalize: what the images were normalised with.
        spec: the classes' colours.
        ignore_index: hatched.
        columns: samples side by side; None: what makes a sheet of a usual shape.
        names: of the samples.
        headings: of the image and of each of the labels.
    """
    shown = denormalize(images, normalize)
    maps = [
        to_codes(these.cpu().numpy(), num_classes=len(spec.classes), ignore_index=ignore_index)
        for these in labels
    ]
    cells = [
        Cell(
            name=names[i] if names else "",
            panels=(Panel(pixels=shown[i]), *(Panel(pixels=codes[i]) for codes in maps)),
        )
        for i in range(len(shown))
    ]
    entries = find_entries(maps, spec, ignore_index=ignore_index)
    return draw_sheet(cells, spec=spec, entries=entries, headings=headings, columns=columns).picture
