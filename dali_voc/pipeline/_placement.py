"""Graph: a decoded window becomes the crop, as stored or normalised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from nvidia.dali import fn, types

from dali_voc.config import NormalizeConfig
from dali_voc.ops import CacheNodes, decode_crop, normalize_crop
from dali_voc.ops._types import ImageDtype

__all__ = ["Encoded", "Form", "erase", "place_by_dali", "place_fused"]

Triple = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Form:
    """How a picture's values are stored.

    Attributes:
        mean: subtracted, of values in 0..255.
        std: and divided by.
        fill: the mean colour in this form.
        dtype: of the values.
        channels_last: HWC; else CHW.
    """

    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    fill: Triple = (0.0, 0.0, 0.0)
    dtype: ImageDtype = "float32"
    channels_last: bool = False

    @classmethod
    def plain(cls, normalize: NormalizeConfig, *, channels_last: bool = True) -> Form:
        """Colours as bytes, filled with the mean colour rounded to whole levels."""
        return cls(fill=normalize.mean_color, dtype="uint8", channels_last=channels_last)

    @classmethod
    def of(cls, normalize: NormalizeConfig, *, on_gpu: bool) -> Form:
        """What the configuration asks for; on a GPU float32 instead of bfloat16."""
        if normalize.dtype == "uint8":
            return cls.plain(normalize, channels_last=normalize.channels_last)
        return cls(
            mean=_in_bytes(normalize.mean),
            std=_in_bytes(normalize.std),
            dtype="float32" if on_gpu and normalize.dtype == "bfloat16" else normalize.dtype,
            channels_last=normalize.channels_last,
        )

    @property
    def plain_fill(self) -> Triple:
        """The mean colour in 0..255."""
        r, g, b = (f * s + m for f, s, m in zip(self.fill, self.std, self.mean, strict=True))
        return r, g, b


def _in_bytes(values: Triple) -> Triple:
    """Return means or deviations of values in 0..1 as those of 0..255."""
    r, g, b = (255 * value for value in values)
    return r, g, b


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Files that are decoded while they are placed: nodes.

    Attributes:
        files: their bytes.
        path: names for error messages.
        start: see `dali_voc.ops.LabelNodes`.
        shape: likewise.
        is_common: 1 where the file is of the kind that `decode_crop` reads.
        strict: whether damage that libjpeg only warns of is an error.
        cache: where whole pictures are kept.
        picture: numbers of the pictures, or None.
    """

    files: Any
    path: Any
    start: Any
    shape: Any
    is_common: Any
    strict: bool
    cache: CacheNodes | None
    picture: Any


def place_fused(
    image: Any,
    *,
    crop_size: tuple[int, int] | None,
    form: Form,
    roi: tuple[Any, Any, Any] | None = None,
    flip: Any = 0,
    vertical_flip: Any = None,
    rotation: Any = None,
    color: Any = None,
    encoded: Encoded | None = None,
) -> Any:
    """Resize, recolour, mirror, pad, turn and store in one pass, by an operator of our own.

    On the CPU or on a GPU, wherever the image is, alike to the bit.

    Args:
        image: decoded windows, uint8 HWC.
        crop_size: height and width, pixels; None: as large as each picture.
        form: how the result is stored.
        roi: see `dali_voc.ops.LabelNodes`.
        flip: see `dali_voc.augment.draw_parameters`, also for what follows.
        vertical_flip: likewise.
        rotation: likewise.
        color: likewise.
        encoded: files whose windows `image` does not hold; they are decoded on the way, on the CPU.
    """
    options = {
        "crop_size": crop_size,
        "mean": form.mean,
        "std": form.std,
        "fill": form.fill,
        "roi": roi,
        "flip": flip,
        "vertical_flip": 0 if vertical_flip is None else vertical_flip,
        "rotation": rotation,
        "color": color,
        "dtype": form.dtype,
        "channels_last": form.channels_last,
    }
    if encoded is None:
        return normalize_crop(image, **options)
    return decode_crop(
        encoded.files,
        encoded.path,
        image,
        start=encoded.start,
        shape=encoded.shape,
        is_decoded=1 - encoded.is_common,
        strict=encoded.strict,
        about="its image",
        cache=encoded.cache,
        picture=encoded.picture,
        **options,
    )


def place_by_dali(
    image: Any,
    *,
    crop_size: tuple[int, int] | None,
    form: Form,
    roi: tuple[Any, Any, Any] | None = None,
    flip: Any = 0,
    vertical_flip: Any = None,
    rotation: Any = None,
    color: Any = None,
) -> Any:
    """Do the same by DALI's own operators, in several passes; arguments as for `place_fused`."""
    if form.dtype == "float16":
        # not all of them know it
        options = {"roi": roi, "flip": flip, "vertical_flip": vertical_flip, "rotation": rotation}
        full = replace(form, dtype="float32")
        image = place_by_dali(image, crop_size=crop_size, form=full, color=color, **options)
        return fn.cast(image, dtype=types.FLOAT16)
    if roi is not None:
        image = fn.resize(
            image,
            size=roi[2],
            roi_start=roi[0],
            roi_end=roi[1],
            interp_type=types.INTERP_LINEAR,
            antialias=True,
        )
    if color is not None:
        # to float, and back with saturation
        image = fn.cast(fn.coord_transform(image, MT=color), dtype=types.UINT8)
        image = fn.reshape(image, layout="HWC")
    if rotation is not None:
        assert crop_size is not None
        color_of_fill = form.plain_fill
        plain = Form(fill=color_of_fill, channels_last=True)
        image = _crop_mirror(image, crop_size=crop_size, form=plain, flip=flip)
        if vertical_flip is not None:
            image = fn.flip(image, horizontal=0, vertical=vertical_flip)
        image = fn.cast(_rotate(image, crop_size, rotation, color_of_fill), dtype=types.UINT8)
        flip, vertical_flip = 0, None
    image = _crop_mirror(image, crop_size=crop_size, form=form, flip=flip)
    if vertical_flip is not None:
        image = fn.flip(image, horizontal=0, vertical=vertical_flip)
    return image


def erase(image: Any, *, anchor: Any, shape: Any, form: Form) -> Any:
    """Fill a rectangle, given by its corner (y, x) and its size, with the mean colour."""
    where = {"anchor": anchor, "shape": shape, "axis_names": "HW"}
    if form.dtype not in ("float16", "bfloat16"):
        return fn.erase(image, **where, fill_value=list(form.fill))
    # DALI's operator does not know them, or not on a GPU; but 0 is 0
    assert form.fill == (0.0, 0.0, 0.0)
    if form.dtype == "bfloat16":
        return fn.erase(image, **where, fill_value=0)
    bits = fn.erase(fn.reinterpret(image, dtype=types.INT16), **where, fill_value=0)
    return fn.reinterpret(bits, dtype=types.FLOAT16)


def _crop_mirror(image: Any, *, crop_size: tuple[int, int] | None, form: Form, flip: Any) -> Any:
    window: dict[str, Any] = {}
    if crop_size is not None:
        window = {"crop": crop_size, "crop_pos_y": 0.0, "crop_pos_x": 0.0}
    return fn.crop_mirror_normalize(
        image,
        **window,
        out_of_bounds_policy="pad",
        fill_values=list(form.fill),
        mirror=flip,
        mean=list(form.mean),
        std=list(form.std),
        dtype=types.FLOAT if form.dtype == "float32" else types.UINT8,
        output_layout="HWC" if form.channels_last else "CHW",
    )


def _rotate(image: Any, crop_size: tuple[int, int], rotation: Any, fill: Triple) -> Any:
    """Turn float HWC pictures about their centre; `fill` comes from outside."""
    middle_y, middle_x = crop_size[0] / 2, crop_size[1] / 2
    c, s = rotation[0], rotation[1]
    # from result to source, (x, y) with pixel k from k to k + 1
    to_x = fn.stack(c, -s, middle_x - middle_x * c + middle_y * s)
    to_y = fn.stack(s, c, middle_y - middle_x * s - middle_y * c)
    matrix = fn.stack(to_x, to_y)
    # warp_affine has one fill value for all channels: 0, about the colour that is to fill
    color = types.Constant(list(fill), dtype=types.FLOAT, device=image.device)
    turned = fn.warp_affine(
        image - color, matrix=matrix, fill_value=0.0, interp_type=types.INTERP_LINEAR
    )
    return turned + color
