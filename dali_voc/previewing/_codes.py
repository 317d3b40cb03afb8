"""What each pixel of a label is: a class, or one of three things that are none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc.labels import Color, LabelSpec, colorize
from dali_voc.targets import LabelEncoder

__all__ = ["REST", "STRANGE", "VOID", "Entry", "find_entries", "hatch", "paint", "to_codes"]

VOID = -1  # ignored: border, padding, unknown
REST = -2  # of no class that `labels.masks` asks for
STRANGE = -3  # an index that is neither a class nor `ignore_index`

_STRIPE = 4  # pixels
_LIGHT, _DARK = 238, 198
_REST_COLOR: Color = (72, 72, 72)
_STRANGE_COLOR: Color = (255, 0, 255)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A line of a legend.

    Attributes:
        code: class index, or VOID, REST or STRANGE.
        name: for people.
        color: None: hatched.
        pixels: how many have it.
        share: of all pixels.
    """

    code: int
    name: str
    color: Color | None
    pixels: int
    share: float


def to_codes(
    labels: npt.NDArray[Any],
    *,
    num_classes: int,
    ignore_index: int,
    encoder: LabelEncoder | None = None,
) -> npt.NDArray[np.int32]:
    """Return class indices, or VOID, REST or STRANGE.

    Args:
        labels: class indices [n, height, width], or planes [n, planes, height, width].
        num_classes: length of the class list.
        ignore_index: of no class, unless it is the index of one.
        encoder: what made the planes.

    Returns:
        int32 [n, height, width].
    """
    if encoder is None:
        codes = labels.astype(np.int32)
        codes[(labels < 0) | (labels >= num_classes)] = STRANGE
        if ignore_index >= num_classes:
            codes[labels == ignore_index] = VOID
        return codes
    nothing = REST if encoder.keep_ignored else VOID
    codes = np.full((len(labels), *labels.shape[2:]), nothing, np.int32)
    for plane, index in enumerate(encoder.classes):
        codes[labels[:, plane] == 1] = index
    if encoder.keep_ignored:  # ignored pixels are so in all planes
        codes[labels[:, 0] == ignore_index] = VOID
    return codes


def find_entries(
    maps: Iterable[npt.NDArray[np.int32]],
    spec: LabelSpec,
    *,
    ignore_index: int,
    also: Iterable[npt.NDArray[np.int32]] = (),
) -> tuple[Entry, ...]:
    """Return the legend of some maps of codes: what occurs in them, classes first, in order.

    Args:
        maps: of codes.
        spec: the names and colours of the classes.
        ignore_index: a class that has this index is marked.
        also: more maps. What occurs in them has an entry, but its pixels are not counted.
    """
    counts: dict[int, int] = {int(code): 0 for codes in also for code in np.unique(codes)}
    for codes in maps:
        for code, times in zip(*np.unique(codes, return_counts=True), strict=True):
            counts[int(code)] = counts.get(int(code), 0) + int(times)
    everything = max(sum(counts.values()), 1)
    others: dict[int, tuple[str, Color | None]] = {
        VOID: ("void (ignored)", None),
        REST: ("in none of the masks", _REST_COLOR),
        STRANGE: ("an index of no class", _STRANGE_COLOR),
    }
    entries = []
    for code in sorted(counts, key=lambda code: (code < 0, abs(code))):
        if code < 0:
            name, color = others[code]
        else:
            name, color = spec.classes[code], spec.display_colors[code]
            name += " (ignored)" if code == ignore_index else ""
        share = counts[code] / everything
        entries.append(Entry(code=code, name=name, color=color, pixels=counts[code], share=share))
    return tuple(entries)


def paint(codes: npt.NDArray[np.int32], spec: LabelSpec) -> npt.NDArray[np.uint8]:
    """Return colours [height, width, 3] of codes [height, width]: the data set's; void hatched."""
    painted = colorize(np.maximum(codes, 0), spec, ignore_index=len(spec.classes))
    painted[codes == REST] = _REST_COLOR
    painted[codes == STRANGE] = _STRANGE_COLOR
    void = codes == VOID
    painted[void] = hatch(*codes.shape)[void]
    return painted


def hatch(height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return slanting stripes of two light grays, uint8 [height, width, 3]."""
    slant = np.add.outer(np.arange(height), np.arange(width))
    stripes = np.where(slant // _STRIPE % 2, _DARK, _LIGHT).astype(np.uint8)
    return np.repeat(stripes[:, :, None], 3, axis=2)
