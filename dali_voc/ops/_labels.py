"""`decode_label`: PNG labels to class indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from dali_voc.labels import LabelDtype, LabelTables
from dali_voc.ops._arguments import (
    as_class,
    as_crop_size,
    as_label_type,
    check_word,
    turned_by,
)
from dali_voc.ops._cache import CacheNodes
from dali_voc.ops._call import call

__all__ = ["ClassCrop", "LabelNodes", "Resize", "decode_label"]


@dataclass(frozen=True, kw_only=True)
class ClassCrop:
    """Crops around a pixel of a drawn class.

    Attributes:
        draw: three numbers in [0, 1) per sample: whether, which class, which of its pixels; or
            five: which of the places (y, x) that show the pixel, too, which else lies in the
            middle, as far as the picture goes.
        probability: share of the samples.
        weights: per class; only classes that the picture shows take part.
    """

    draw: Any
    probability: float
    weights: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Resize:
    """What size pictures have before they are cropped: by sides, or exactly.

    Sides that follow from others are rounded half up.

    Attributes:
        shorter: pixels of the shorter side, or fewer where the longer one would exceed `longer`.
        longer: pixels of the longer side, or fewer likewise.
        exact: height and width, whatever the picture's shape.
    """

    shorter: int | None = None
    longer: int | None = None
    exact: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        sides = (self.shorter, self.longer, *(self.exact or ()))
        if any(side is not None and side < 1 for side in sides):
            raise ValueError(f"{self}: expected sides of at least one pixel")
        by_sides = self.shorter is not None or self.longer is not None
        if by_sides == (self.exact is not None):
            raise ValueError(f"{self}: expected shorter, longer or both, or else exact")


class LabelNodes(NamedTuple):
    """What `decode_label` returns: DALI nodes, as a tuple, which conditionals pass on.

    Attributes:
        label: the map [crop height, crop width].
        start: first row and column of the source pixels that the image is to show, int32.
        shape: their height and width, int32.
        is_common: int32, 1 where the image is JPEG or PNG of a kind that `decode_crop` reads.
        roi: with `scale` or `resize`: start and end (y, x) of the crop in them, and the
            height and width that it becomes, three float nodes; else None.
    """

    label: Any
    start: Any
    shape: Any
    is_common: Any
    roi: tuple[Any, Any, Any] | None


def decode_label(
    encoded: Any,
    path: Any,
    image: Any = None,
    *,
    tables: LabelTables | Sequence[LabelTables],
    crop_size: tuple[int, int] | None,
    position: Any = (0.5, 0.5),
    max_ratio: float = 1.0,
    scale: Any = None,
    resize: Resize | None = None,
    class_crop: ClassCrop | None = None,
    flip: Any = 0,
    vertical_flip: Any = 0,
    rotation: Any = None,
    image_shape: Any = None,
    map: Any = 0,
    segments: Any = None,
    num_classes: int = 0,
    palette: Literal["auto", "color", "index"] = "auto",
    unknown: int | Literal["error"] = "error",
    ignore_index: int = 255,
    unlabeled: int | None = None,
    dtype: LabelDtype = "uint8",
    cache: CacheNodes | None = None,
    picture: Any = None,
) -> LabelNodes:
    """Decode PNG labels to cropped class-index maps, in index space all the way. CPU.

    Reads palette PNG of 1, 2, 4, 8 bits (by colour, or by index), gray PNG of 1, 2, 4, 8, 16 bits
    (values as stored, not scaled), and RGB or RGBA of 8 bits (alpha is ignored); interlaced or
    not. Maps in the code of packed data sets (`csrc/label_runs.h`) are read as gray PNG is.

    Args:
        encoded: the files' bytes, 1D uint8.
        path: the files' names for error messages, 1D uint8, zeros behind left out.
        image: the bytes of the images that the labels belong to, 1D uint8. Those in JPEG are
            checked for a kind of damage that DALI's own decoder takes in silence.
        tables: what colours and values mean; where labels come from several sources, of each.
        crop_size: height and width of the result, pixels; None: the whole picture.
        position: (y, x) in [0, 1), per sample or constant: which of the crop's possible places.
            Several pairs one after another are candidates.
        max_ratio: the first candidate is taken in which no class fills more than this share of the
            pixels that are not `ignore_index`; if there is none, the last.
        resize: to which size the picture is resized before it is cropped.
        scale: factors (y, x), or one for both, of the picture's size, or of what `resize` makes of
            it, before it is cropped, per sample. Sizes are rounded half up, and no side becomes
            less than 0.01 or more than 100 times as long; the label is sampled at the nearest
            pixel: row i of h' comes from row floor((i + 1/2) * h / h').
        class_crop: crops around a drawn class, instead of `position`, for some of the samples.
        flip: 1 mirrors the crop left to right, per sample or constant.
        vertical_flip: 1 mirrors it top to bottom.
        rotation: cosine and sine of the angle by which the crop is then turned about its centre,
            counter-clockwise as it is looked at, per sample. A pixel shows what lay under its
            centre; where that is outside the crop, it is `ignore_index`.
        image_shape: int64 (height, width, ...) that the label must have, per sample.
        map: which of the tables, int32 per sample; `NO_LABEL`: there is no label, its bytes are not
            looked at, and all of a picture of `image_shape` is `unlabeled`.
        segments: int64 [k, 2] per sample: colours 0xRRGGBB of that file alone and their classes,
            instead of the tables' colours; negative colours are left out, negative classes are
            `ignore_index`.
        num_classes: at least as many, if `segments` have classes that `tables` do not name.
        palette: map palette files by colour or by index; auto: by colour, and where the tables'
            colours are guessed, an index that is of another class than its colour is an error.
        unknown: class of colours and values that are not in the tables, or an error.
        ignore_index: what fills the crop outside the picture, 0..255 for uint8, else 0..65534; the
            one that `tables` were built for.
        unlabeled: what fills pictures without a label; crops are not chosen by it. None:
            `ignore_index`.
        dtype: of the map.
        cache: where class indices are kept and taken from, if it keeps what is decoded.
        picture: numbers, int64 per sample: neighbours in the batch that have the same number have
            the same files, map and segments, and the label is decoded once.

    Returns:
        The map and where the image is to be cut. Where the picture is smaller than the crop, the
        rest of the map, at the bottom and at the right before flipping, is `ignore_index`.

    Raises:
        ValueError: `crop_size`, `palette`, `dtype` or a class is none that there is, there are no
            tables, or `rotation` is a number.
        RuntimeError: from the pipeline, with one sentence naming the file, for anything that is
            not a sound PNG of a known type, has another shape, or holds an unknown colour.
    """
    type_ = as_label_type(dtype)
    check_word("palette", palette, ("auto", "color", "index"))
    optional = CacheNodes.decoded_arguments(cache)
    tables = (tables,) if isinstance(tables, LabelTables) else tables
    if not tables or not all(isinstance(table, LabelTables) for table in tables):
        raise ValueError(f"tables: found {tables!r}, expected LabelTables, or a sequence of them")
    if scale is not None:
        optional |= {"resample": True, "scale": scale}
    if resize is not None:
        optional |= {
            "resample": True,
            "resize_shorter": resize.shorter or 0,
            "resize_longer": resize.longer or 0,
            "resize_to": list(resize.exact or ()),
        }
    if class_crop is not None:
        optional |= {
            "class_draw": class_crop.draw,
            "class_probability": class_crop.probability,
            "class_weights": list(class_crop.weights),
        }
    label, start, shape, is_common, *roi = call(
        "decode_label",
        *((encoded, path) if image is None else (encoded, path, image)),
        crop_size=as_crop_size(crop_size),
        colors=[color for table in tables for color in table.colors],
        color_classes=[index for table in tables for index in table.color_classes],
        color_counts=[len(table.colors) for table in tables],
        values=[value for table in tables for value in table.values],
        value_classes=[index for table in tables for index in table.value_classes],
        value_counts=[len(table.values) for table in tables],
        map=map,
        num_classes=num_classes,
        palette_by_color=palette != "index",
        colors_guessed=[int(palette == "auto" and table.colors_guessed) for table in tables],
        unknown=-1 if unknown == "error" else as_class("unknown", unknown, dtype=dtype),
        ignore_index=as_class("ignore_index", ignore_index, dtype=dtype),
        unlabeled=-1 if unlabeled is None else as_class("unlabeled", unlabeled, dtype=dtype),
        position=position,
        max_ratio=max_ratio,
        flip=flip,
        vertical_flip=vertical_flip,
        image_shape=image_shape,
        segments=segments,
        picture=picture,
        dtype=type_,
        **turned_by(rotation),
        **optional,
    )
    return LabelNodes(
        label=label,
        start=start,
        shape=shape,
        is_common=is_common,
        roi=(roi[0], roi[1], roi[2]) if roi else None,
    )
