"""Leaves out pictures that are smaller than the crop; sizes come from the labels' headers."""

from __future__ import annotations

from PIL import Image

from dali_voc.datasets._index import PairIndex
from dali_voc.errors import DatasetError, SampleError

__all__ = ["drop_small"]


def drop_small(
    index: PairIndex, crop_size: tuple[int, int], *, must_exist: bool = True
) -> PairIndex:
    """Return the index without the pairs that are lower or narrower than the crop.

    Args:
        index: the pairs.
        crop_size: height and width, pixels.
        must_exist: labels without a sound header are an error; else they are kept, and it turns
            out when they are read.

    Raises:
        SampleError: a label's header cannot be read.
        DatasetError: no pair is left.
    """
    keep = []
    for i in range(len(index)):
        try:
            with Image.open(index.labels[i]) as label:
                width, height = label.size
        except OSError as e:
            if not must_exist:
                keep.append(i)
                continue
            raise SampleError(index.labels[i], f"cannot be read as a PNG label ({e})") from None
        if height >= crop_size[0] and width >= crop_size[1]:
            keep.append(i)
    if not keep:
        raise DatasetError(
            f"none of the {len(index)} pairs is as large as the crop, {crop_size[0]}x"
            f"{crop_size[1]} (height x width), and augment.small is 'drop'"
        )
    return index if len(keep) == len(index) else index.select(keep)
