"""What size pictures have before they are cropped, from section `augment`."""

from __future__ import annotations

from dali_voc.config import AugmentConfig
from dali_voc.ops import Resize

__all__ = ["resize_for_crops", "resize_for_whole"]


def resize_for_crops(augment: AugmentConfig) -> Resize | None:
    """Return to which size pictures are resized before crops are cut from them."""
    if not augment.resizes:
        return None
    return Resize(
        shorter=augment.resize_shorter, longer=augment.resize_longer, exact=augment.resize_to
    )


def resize_for_whole(augment: AugmentConfig) -> Resize | None:
    """Return to which size whole pictures are resized."""
    if augment.validation == "full":
        return None
    if augment.shorter_side:
        return Resize(shorter=augment.shorter_side)
    if augment.validation == "slide" or augment.resizes:
        return resize_for_crops(augment)
    return Resize(shorter=min(augment.crop_size))
