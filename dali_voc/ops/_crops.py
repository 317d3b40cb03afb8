"""`normalize_crop` and `decode_crop`: from windows of pictures to what the network sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dali_voc.ops._arguments import as_crop_size, as_image_type, turned_by
from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._call import call
from dali_voc.ops._types import ImageDtype

__all__ = ["decode_crop", "normalize_crop"]


def normalize_crop(
    windows: Any,
    *,
    crop_size: tuple[int, int] | None,
    mean: Sequence[float],
    std: Sequence[float],
    fill: Sequence[float] = (0.0, 0.0, 0.0),
    roi: tuple[Any, Any, Any] | None = None,
    flip: Any = 0,
    vertical_flip: Any = 0,
    rotation: Any = None,
    color: Any = None,
    dtype: ImageDtype = "float32",
    channels_last: bool = False,
) -> Any:
    """Resize decoded windows, recolour, normalise, mirror and pad them to the crop.

    CPU and GPU, alike to the bit: on a GPU by one launch for pictures that stay as they are or are
    turned, by two for those that are resized, by three for those that are both.

    It does in one pass what DALI does by `resize` with antialias, `coord_transform` and
    `crop_mirror_normalize` with `out_of_bounds_policy="pad"`, without rounding in between.

    Args:
        windows: uint8 RGB [height, width, 3], none larger than the crop once resized.
        crop_size: height and width of the result, pixels; None: as large as the picture.
        mean: per channel, of values in 0..255.
        std: per channel, likewise.
        fill: per channel, what the result holds where there is no picture.
        roi: see `LabelNodes.roi`: the picture is that part of the window, bilinearly resized with a
            triangle filter that covers a whole result pixel where it shrinks.
        flip: 1 mirrors left to right, per sample or constant.
        vertical_flip: 1 mirrors top to bottom.
        rotation: as in `decode_label`; bilinear, with `fill` where there is nothing.
        color: float32 [3, 4] per sample: colours (r, g, b, 1) are multiplied by it and clamped to
            0..255 before they are normalised. On the CPU, also for windows on a GPU.
        dtype: of the result; float16 and bfloat16 are float32 rounded to the nearest, ties to even;
            to uint8, values are rounded and clamped. DALI has no bfloat16: it calls it int16, whose
            bits it is, and there is none on a GPU.
        channels_last: [crop height, crop width, 3] instead of [3, crop height, crop width].

    Returns:
        (value - mean) / std.

    Raises:
        ValueError: `crop_size` or `dtype` is none that there is, or `rotation` is a number.
    """
    arguments = _arguments(
        crop_size=crop_size,
        mean=mean,
        std=std,
        fill=fill,
        roi=roi,
        flip=flip,
        vertical_flip=vertical_flip,
        rotation=rotation,
        dtype=dtype,
        channels_last=channels_last,
    )
    return call("normalize_crop", *_inputs(windows, color=color), **arguments)


def decode_crop(
    encoded: Any,
    path: Any,
    decoded: Any = None,
    *,
    start: Any,
    shape: Any,
    crop_size: tuple[int, int] | None,
    mean: Sequence[float],
    std: Sequence[float],
    fill: Sequence[float] = (0.0, 0.0, 0.0),
    roi: tuple[Any, Any, Any] | None = None,
    flip: Any = 0,
    vertical_flip: Any = 0,
    rotation: Any = None,
    color: Any = None,
    dtype: ImageDtype = "float32",
    channels_last: bool = False,
    is_decoded: Any = 0,
    strict: bool = False,
    about: str = "",
    cache: CacheNodes | None = None,
    picture: Any = None,
) -> Any:
    """Decode windows of JPEG and PNG files, and on as `normalize_crop` does, row by row. CPU.

    No more of a file is decoded than the window takes, and no decoded picture is kept, unless it is
    to be resized, or several windows are cut out of it.

    Args:
        encoded: the files' bytes, 1D uint8; JPEG of one or three channels, or PNG of at most 8
            bits per channel that is not interlaced. Transparency is left out.
        path: names for error messages, 1D uint8.
        decoded: windows that something else has decoded, uint8 RGB [height, width, 3]; None: there
            are none.
        start: first row and column of the window, int32 [2] per sample.
        shape: its height and width, likewise.
        crop_size: this and what follows up to `channels_last`, as in `normalize_crop`.
        mean: likewise.
        std: likewise.
        fill: likewise.
        roi: likewise.
        flip: likewise.
        vertical_flip: likewise.
        rotation: likewise.
        color: likewise.
        dtype: likewise.
        channels_last: likewise.
        is_decoded: 1 takes the window from `decoded`, per sample or constant.
        strict: fail for damage anywhere in a JPEG that libjpeg warns of and goes on after, too.
        about: what errors begin with, after the file's name: "its image".
        cache: where whole pictures are kept and taken from, if it keeps what is decoded.
        picture: numbers, int64 per sample: neighbours in the batch that have the same number have
            the same file, and their windows are decoded in one pass, unless they lie so far apart
            in a JPEG that this would take longer.

    Returns:
        What `normalize_crop` returns.

    Raises:
        ValueError: as `normalize_crop`.
        RuntimeError: from the pipeline, with one sentence, for what is not a sound file of these
            kinds.
    """
    if decoded is None:
        decoded = np.zeros((1, 1, 3), np.uint8)
    return call(
        "decode_crop",
        *_inputs(encoded, decoded, path, color=color),
        start=start,
        shape=shape,
        is_decoded=is_decoded,
        strict=strict,
        about=about,
        picture=picture,
        **CacheNodes.decoded_arguments(cache),
        **_arguments(
            crop_size=crop_size,
            mean=mean,
            std=std,
            fill=fill,
            roi=roi,
            flip=flip,
            vertical_flip=vertical_flip,
            rotation=rotation,
            dtype=dtype,
            channels_last=channels_last,
        ),
    )


def _inputs(*inputs: Any, color: Any) -> tuple[Any, ...]:
    return inputs if color is None else (*inputs, color)


def _arguments(
    *,
    crop_size: tuple[int, int] | None,
    mean: Sequence[float],
    std: Sequence[float],
    fill: Sequence[float],
    roi: tuple[Any, Any, Any] | None,
    flip: Any,
    vertical_flip: Any,
    rotation: Any,
    dtype: ImageDtype,
    channels_last: bool,
) -> dict[str, Any]:
    optional = turned_by(rotation)
    if roi is not None:
        optional |= dict(zip(("roi_start", "roi_end", "size"), roi, strict=True))
    return {
        "crop_size": as_crop_size(crop_size),
        "mean": list(mean),
        "std": list(std),
        "fill": list(fill),
        "flip": flip,
        "vertical_flip": vertical_flip,
        "dtype": as_image_type(dtype),
        "channels_last": channels_last,
        **optional,
    }
