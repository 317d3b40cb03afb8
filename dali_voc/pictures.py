"""Batches as pictures for people: images beside their coloured labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from dali_voc.config import NormalizeConfig
from dali_voc.labels import LabelSpec, colorize

__all__ = ["contact_sheet", "denormalize"]

_GAP = 6
_GROUND = (245, 245, 245)


def denormalize(images: torch.Tensor, normalize: NormalizeConfig) -> npt.NDArray[np.uint8]:
    """Undo what `normalize` did to images [n, 3, height, width]; uint8 [n, height, width, 3]."""
    if images.dtype == torch.uint8:
        return images.cpu().permute(0, 2, 3, 1).numpy()
    mean = torch.tensor(normalize.mean).view(1, 3, 1, 1)
    std = torch.tensor(normalize.std).view(1, 3, 1, 1)
    values = (images.detach().float().cpu() * std + mean) * 255
    return values.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def contact_sheet(
    images: torch.Tensor,
    labels: Sequence[torch.Tensor],
    *,
    normalize: NormalizeConfig,
    spec: LabelSpec,
    ignore_index: int = 255,
    columns: int = 2,
) -> Image.Image:
    """Lay out each image with one or more coloured label maps to its right.

    Args:
        images: normalised, [n, 3, height, width].
        labels: one or more batches of class indices, each [n, height, width]: truth, prediction.
        normalize: what the images were normalised with.
        spec: the classes' colours.
        ignore_index: painted in the void colour.
        columns: samples side by side.
    """
    shown = denormalize(images, normalize)
    painted = [colorize(maps.cpu().numpy(), spec, ignore_index=ignore_index) for maps in labels]
    n, height, width = shown.shape[:3]
    columns = min(columns, n)
    group = (1 + len(painted)) * (width + 2) + _GAP
    rows = -(-n // columns)
    sheet = Image.new("RGB", (columns * group + _GAP, rows * (height + _GAP) + _GAP), _GROUND)
    for i in range(n):
        left = _GAP + i % columns * group
        top = _GAP + i // columns * (height + _GAP)
        for k, batch in enumerate([shown, *painted]):
            sheet.paste(Image.fromarray(batch[i]), (left + k * (width + 2), top))
    return sheet
