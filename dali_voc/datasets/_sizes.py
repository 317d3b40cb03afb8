"""Finds the pictures that hold the crop; sizes come from the index or the labels' headers."""

from __future__ import annotations

import numpy as np
from PIL import Image

from dali_voc.datasets._index import PairIndex
from dali_voc.errors import DatasetError, SampleError

__all__ = ["find_large"]


def find_large(
    index: PairIndex, crop_size: tuple[int, int], *, must_exist: bool = True
) -> list[int]:
    """Return which pairs are neither lower nor narrower than the crop.

    Args:
        index: the pairs.
        crop_size: height and width, pixels.
        must_exist: labels without a sound header are an error; else they count as large, and it
            turns out when they are read.

    Raises:
        SampleError: a label's header cannot be read.
        DatasetError: no pair is left.
    """
    if index.sizes is None:
        kept = _from_headers(index, crop_size, must_exist)
    else:
        kept = np.flatnonzero((index.sizes >= crop_size).all(axis=1)).tolist()
    if not kept:
        raise DatasetError(
            f"none of the {len(index)} pairs is as large as the crop, {crop_size[0]}x"
            f"{crop_size[1]} (height x width), and augment.small is 'drop'"
        )
    return kept


def _from_headers(index: PairIndex, crop_size: tuple[int, int], must_exist: bool) -> list[int]:
    labeled = set(index.labeled.tolist())
    kept = []
    for i in range(len(index)):
        try:
            with index.labels.open(i) as file, Image.open(file) as label:
                width, height = label.size
        except Exception as e:  # Pillow raises many kinds on damaged headers
            if not must_exist:
                kept.append(i)
                continue
            reason = e.reason if isinstance(e, SampleError) else e
            kind = "a PNG label" if i in labeled else "an image"
            raise SampleError(index.labels[i], f"cannot be read as {kind} ({reason})") from None
        if height >= crop_size[0] and width >= crop_size[1]:
            kept.append(i)
    return kept
