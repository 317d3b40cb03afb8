"""Operators of our own for DALI pipelines: `decode_label`, `color_to_index`, `normalize_crop`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import nvidia.dali.fn
from nvidia.dali import types

from dali_voc.labels import Color, LabelTables
from dali_voc.ops._plugin import load_plugin

__all__ = ["ClassCrop", "LabelNodes", "color_to_index", "decode_label", "normalize_crop"]

fn: Any = nvidia.dali.fn  # it gets `dali_voc` only when the plugin is loaded
Dtype = Literal["uint8", "int32", "int64"]


def _dali_type(dtype: Dtype) -> Any:
    return {"uint8": types.UINT8, "int32": types.INT32, "int64": types.INT64}[dtype]


@dataclass(frozen=True, kw_only=True)
class ClassCrop:
    """Crops around a pixel of a drawn class.

    Attributes:
        draw: three numbers in [0, 1) per sample: whether, which class, which of its pixels.
        probability: share of the samples.
        weights: per class; only classes that the picture shows take part.
    """

    draw: Any
    probability: float
    weights: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class LabelNodes:
    """What `decode_label` returns: DALI nodes.

    Attributes:
        label: the map [crop height, crop width].
        start: first row and column of the source pixels that the image is to show, int32.
        shape: their height and width, int32.
        roi: with `scale`: start and end (y, x) of the crop in them, and the height and width that
            it becomes, three float nodes; else None.
    """

    label: Any
    start: Any
    shape: Any
    roi: tuple[Any, Any, Any] | None


def decode_label(
    encoded: Any,
    path: Any,
    image: Any = None,
    *,
    tables: LabelTables,
    crop_size: tuple[int, int] | None,
    position: Any = (0.5, 0.5),
    max_ratio: float = 1.0,
    scale: Any = None,
    class_crop: ClassCrop | None = None,
    flip: Any = 0,
    vertical_flip: Any = 0,
    rotation: Any = None,
    image_shape: Any = None,
    palette: Literal["color", "index"] = "color",
    unknown: int | Literal["error"] = "error",
    ignore_index: int = 255,
    dtype: Dtype = "uint8",
) -> LabelNodes:
    """Decode PNG labels to cropped class-index maps, in index space all the way. CPU.

    Reads palette PNG of 1, 2, 4, 8 bits (by colour, or by index), gray PNG of 1, 2, 4, 8 bits
    (values as class ids, as stored), and RGB or RGBA of 8 bits (alpha is ignored); interlaced or
    not.

    Args:
        encoded: the files' bytes, 1D uint8.
        path: the files' names for error messages, 1D uint8.
        image: the bytes of the images that the labels belong to, 1D uint8. Those in JPEG are
            checked for a kind of damage that DALI's own decoder takes in silence.
        tables: what colours and values mean.
        crop_size: height and width of the result, pixels; None: the whole picture.
        position: (y, x) in [0, 1), per sample or constant: which of the crop's possible places.
            Several pairs one after another are candidates.
        max_ratio: the first candidate is taken in which no class fills more than this share of the
            pixels that are not `ignore_index`; if there is none, the last.
        scale: factors (y, x) of the picture's size before it is cropped, per sample, 0.01 to 100.
            Sizes are rounded half up; the label is sampled at the nearest pixel: row i of h' comes
            from row floor((i + 1/2) * h / h').
        class_crop: crops around a drawn class, instead of `position`, for some of the samples.
        flip: 1 mirrors the crop left to right, per sample or constant.
        vertical_flip: 1 mirrors it top to bottom.
        rotation: cosine and sine of the angle by which the crop is then turned about its centre,
            counter-clockwise as it is looked at, per sample. A pixel shows what lay under its
            centre; where that is outside the crop, it is `ignore_index`.
        image_shape: int64 (height, width, ...) that the label must have, per sample.
        palette: map palette files by colour or by index.
        unknown: class of colours and values that are not in the tables, or an error.
        ignore_index: what fills the crop outside the picture.
        dtype: of the map.

    Returns:
        The map and where the image is to be cut. Where the picture is smaller than the crop, the
        rest of the map, at the bottom and at the right before flipping, is `ignore_index`.

    Raises:
        RuntimeError: from the pipeline, with one sentence naming the file, for anything that is
            not a sound PNG of a known type, has another shape, or holds an unknown colour.
    """
    load_plugin()
    optional: dict[str, Any] = {}
    if image_shape is not None:
        optional["image_shape"] = image_shape
    if scale is not None:
        optional |= {"resample": True, "scale": scale}
    if rotation is not None:
        optional["rotation"] = rotation
    if class_crop is not None:
        optional |= {
            "class_draw": class_crop.draw,
            "class_probability": class_crop.probability,
            "class_weights": list(class_crop.weights),
        }
    label, start, shape, *roi = fn.dali_voc.decode_label(
        *((encoded, path) if image is None else (encoded, path, image)),
        crop_size=[] if crop_size is None else list(crop_size),
        colors=list(tables.colors),
        color_classes=list(tables.color_classes),
        values=list(tables.values),
        value_classes=list(tables.value_classes),
        palette_by_color=palette == "color",
        unknown=-1 if unknown == "error" else unknown,
        ignore_index=ignore_index,
        position=position,
        max_ratio=max_ratio,
        flip=flip,
        vertical_flip=vertical_flip,
        dtype=_dali_type(dtype),
        **optional,
    )
    return LabelNodes(
        label=label, start=start, shape=shape, roi=(roi[0], roi[1], roi[2]) if roi else None
    )


def color_to_index(
    rgb: Any,
    *,
    colors: Sequence[Color],
    classes: Sequence[int] | None = None,
    unknown: int | Literal["error"] = "error",
    dtype: Dtype = "uint8",
) -> Any:
    """Turn decoded RGB pictures into class indices by exact match of all 24 bits. CPU.

    Args:
        rgb: uint8 pictures [height, width, 3], of any mix of sizes.
        colors: known colours (R, G, B), each 0..255.
        classes: the class of each colour; by default its place in `colors`.
        unknown: the class of any other colour, or an error naming the colour and its pixel count.
        dtype: of the result.

    Returns:
        Class indices [height, width].

    Raises:
        ValueError: `colors` and `classes` do not fit, or a colour is there twice.
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
    return fn.dali_voc.color_to_index(
        rgb,
        colors=[r << 16 | g << 8 | b for r, g, b in colors],
        classes=classes,
        unknown=-1 if unknown == "error" else unknown,
        dtype=_dali_type(dtype),
    )


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
    dtype: Literal["float32", "uint8"] = "float32",
    channels_last: bool = False,
) -> Any:
    """Resize decoded windows, recolour, normalise, mirror and pad them to the crop. CPU.

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
            0..255 before they are normalised.
        dtype: of the result; to uint8, values are rounded and clamped.
        channels_last: [crop height, crop width, 3] instead of [3, crop height, crop width].

    Returns:
        (value - mean) / std.
    """
    load_plugin()
    optional = {} if rotation is None else {"rotation": rotation}
    if roi is not None:
        optional |= dict(zip(("roi_start", "roi_end", "size"), roi, strict=True))
    return fn.dali_voc.normalize_crop(
        *((windows,) if color is None else (windows, color)),
        crop_size=[] if crop_size is None else list(crop_size),
        mean=list(mean),
        std=list(std),
        fill=list(fill),
        flip=flip,
        vertical_flip=vertical_flip,
        dtype={"float32": types.FLOAT, "uint8": types.UINT8}[dtype],
        channels_last=channels_last,
        **optional,
    )
