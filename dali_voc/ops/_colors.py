"""`color_to_index`: RGB to class indices, and what to do about colours that have none."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dali_voc.errors import SampleError
from dali_voc.labels import Color, LabelDtype
from dali_voc.ops._arguments import as_class, as_label_type
from dali_voc.ops._call import call, is_on_gpu

__all__ = ["check_unknown", "color_to_index", "describe_unknown"]


def color_to_index(
    rgb: Any,
    *,
    colors: Iterable[Sequence[int]] | Mapping[Color, int],
    classes: Iterable[int] | None = None,
    unknown: int | Literal["error"] = "error",
    count_unknown: bool = False,
    dtype: LabelDtype = "uint8",
) -> Any:
    """Turn decoded RGB pictures into class indices by exact match of all 24 bits. CPU and GPU.

    Args:
        rgb: uint8 pictures [height, width, 3], of any mix of sizes.
        colors: known colours (R, G, B), integers 0..255; or a mapping of these to classes.
        classes: the class of each colour; by default its place in `colors`.
        unknown: the class of any other colour, or an error naming the colour and its pixel count.
            On a GPU only a class: nothing waits there for what has been found.
        count_unknown: return as well what other colours there are, for `check_unknown`.
        dtype: of the result.

    Returns:
        Class indices [height, width]; with `count_unknown` also, per sample, int32 [2]: how many
        pixels have colours that are not in the table, and the smallest of these as 0xRRGGBB, or
        -1.

    Raises:
        ValueError: `colors` and `classes` do not fit, something is no colour or no class of
            `dtype`, a colour is there twice, or on a GPU other colours are to be an error.
        RuntimeError: from the pipeline, with one sentence naming the sample by its place among
            those that the operator was given, for a colour that is not in the table.
    """
    type_ = as_label_type(dtype)
    if isinstance(colors, Mapping):
        if classes is not None:
            raise ValueError("colors is a mapping to classes, expected no other classes")
        classes = colors.values()
    packed = [_pack(color) for color in colors]
    classes = list(range(len(packed)) if classes is None else classes)
    if len(classes) != len(packed):
        raise ValueError(f"{len(packed)} colors but {len(classes)} classes")
    if len(set(packed)) != len(packed):
        raise ValueError("a colour is in colors twice")
    if unknown == "error" and (count_unknown or is_on_gpu(rgb)):
        raise ValueError("unknown is 'error', expected a class where colours are counted or on GPU")
    return call(
        "color_to_index",
        rgb,
        colors=packed,
        classes=[as_class("classes", value, dtype=dtype) for value in classes],
        unknown=-1 if unknown == "error" else as_class("unknown", unknown, dtype=dtype),
        count_unknown=count_unknown,
        dtype=type_,
    )


def _pack(color: Sequence[int]) -> int:
    try:
        r, g, b = map(operator.index, color)
    except (TypeError, ValueError):
        r = g = b = -1
    if not all(0 <= value <= 255 for value in (r, g, b)):
        raise ValueError(f"colors: found {color!r}, expected three integers from 0 to 255: R, G, B")
    return r << 16 | g << 8 | b


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
    raise SampleError(names[bad[0]], describe_unknown(pixels, "colour", rgb) + more)


def describe_unknown(pixels: int, kind: str, smallest: object) -> str:
    """Return how many pixels have a colour, or value, that is not in the tables, and which."""
    found = f"1 pixel has a {kind} that is"
    if pixels != 1:
        found = f"{pixels} pixels have {kind}s that are"
    return f"{found} not in the label table, the smallest is {smallest}"
