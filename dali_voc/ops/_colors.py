"""`color_to_index`: RGB to class indices, and what to do about colours that have none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dali_voc.errors import SampleError
from dali_voc.labels import Color, LabelDtype
from dali_voc.ops._plugin import load_plugin
from dali_voc.ops._types import dali_type, fn

__all__ = ["check_unknown", "color_to_index"]


def color_to_index(
    rgb: Any,
    *,
    colors: Sequence[Color],
    classes: Sequence[int] | None = None,
    unknown: int | Literal["error"] = "error",
    count_unknown: bool = False,
    dtype: LabelDtype = "uint8",
) -> Any:
    """Turn decoded RGB pictures into class indices by exact match of all 24 bits. CPU and GPU.

    Args:
        rgb: uint8 pictures [height, width, 3], of any mix of sizes.
        colors: known colours (R, G, B), each 0..255.
        classes: the class of each colour; by default its place in `colors`.
        unknown: the class of any other colour, or an error naming the colour and its pixel count.
            On a GPU only a class: nothing waits there for what has been found.
        count_unknown: return as well what other colours there are, for `check_unknown`.
        dtype: of the result.

    Returns:
        Class indices [height, width]; with `count_unknown` also, per sample, uint32 [2]: how many
        pixels have colours that are not in the table, and the smallest of these as 0xRRGGBB, or
        0xffffffff.

    Raises:
        ValueError: `colors` and `classes` do not fit, a colour is there twice, or on a GPU other
            colours are to be an error.
    """
    load_plugin()
    colors = [(int(r), int(g), int(b)) for r, g, b in colors]
    if not all(0 <= value <= 255 for color in colors for value in color):
        raise ValueError("a colour has three values from 0 to 255")
    classes = list(range(len(colors)) if classes is None else classes)
    if len(classes) != len(colors):
        raise ValueError(f"{len(colors)} colors but {len(classes)} classes")
    if len(set(colors)) != len(colors):
        raise ValueError("a colour is in colors twice")
    limit = 255 if dtype == "uint8" else 65534
    for value in [*classes, *([] if unknown == "error" else [unknown])]:
        if not 0 <= value <= limit:
            raise ValueError(f"class {value} does not fit, expected 0..{limit} for {dtype}")
    if unknown == "error" and (count_unknown or getattr(rgb, "device", "cpu") == "gpu"):
        raise ValueError("unknown is 'error', expected a class where colours are counted or on GPU")
    return fn.dali_voc.color_to_index(
        rgb,
        colors=[r << 16 | g << 8 | b for r, g, b in colors],
        classes=classes,
        unknown=-1 if unknown == "error" else unknown,
        count_unknown=count_unknown,
        dtype=dali_type(dtype),
    )


def check_unknown(counts: npt.ArrayLike, names: Sequence[str]) -> None:
    """Raise if a batch had colours that are not in the table.

    Meant for after the batch, when its counts have come to the host.

    Args:
        counts: what `color_to_index` counted, [n, 2].
        names: of the samples' files.

    Raises:
        SampleError: names the first such file, a colour and how many pixels, and how many more
            files there are.
    """
    found = np.asarray(counts).astype(np.uint32).reshape(-1, 2)
    if len(found) != len(names):
        raise ValueError(f"counts of {len(found)} samples but {len(names)} names")
    bad = np.flatnonzero(found[:, 0])
    if len(bad) == 0:
        return
    pixels, color = (int(value) for value in found[bad[0]])
    rgb = color >> 16, color >> 8 & 255, color & 255
    more = f"; {len(bad) - 1} more of the batch likewise" if len(bad) > 1 else ""
    what = (
        "1 pixel has a colour that is" if pixels == 1 else f"{pixels} pixels have colours that are"
    )
    raise SampleError(names[bad[0]], f"{what} not in the label table, the smallest is {rgb}{more}")
