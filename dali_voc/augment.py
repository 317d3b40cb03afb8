"""What the random numbers of a sample do to it: arrays for a batch, as pure functions.

Each purpose has its own stream of random numbers, so that turning one thing on changes no other.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from dali_voc.config import AugmentConfig
from dali_voc.randomness import Stream, uniform

__all__ = [
    "CANDIDATES",
    "NOISE_MARGIN",
    "USER_NUMBERS",
    "color_matrices",
    "draw_parameters",
    "noise_tile",
    "parameter_names",
]

Floats = npt.NDArray[np.float32]

# Crop positions that are tried for `category_max_ratio`, as in mmsegmentation's RandomCrop.
CANDIDATES = 10

# Rows and columns by which the tile of noise is larger than a crop.
NOISE_MARGIN = 128

# Random numbers that each operator of the user's own gets per sample.
USER_NUMBERS = 8

# What `augment.view` gives other numbers for: all but the place and the shape of a crop.
_OF_A_VIEW = (Stream.COLOR, Stream.BLUR, Stream.NOISE, Stream.JPEG, Stream.ERASE, Stream.USER)

# RGB to luma and chroma (YIQ, FCC 1953), in which saturation and hue are a scaling and a rotation.
# The last two rows sum up to 0, so that gray has no chroma.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = np.linalg.inv(_YIQ)
_RGB[:, 0] = 1  # as it is but for rounding


def parameter_names(augment: AugmentConfig) -> tuple[str, ...]:
    """Return which arrays `draw_parameters` gives, in their order."""
    optional = {
        "vertical_flip": augment.vertical_flip > 0,
        "transpose": augment.transpose > 0,
        "scale": augment.scale is not None or augment.aspect > 1,
        "class_draw": bool(augment.class_crop),
        "color": _has_color(augment),
        "rotation": augment.rotate > 0,
        "blur": augment.blur > 0,
        "noise": augment.noise > 0,
        "noise_place": augment.noise > 0,
        "jpeg": augment.jpeg > 0,
        "erase_start": augment.erase > 0,
        "erase_shape": augment.erase > 0,
        "user": bool(augment.operators),
    }
    return ("position", "flip", *(name for name, used in optional.items() if used))


def draw_parameters(
    augment: AugmentConfig,
    *,
    training: bool,
    seed: int,
    epoch: int,
    samples: npt.NDArray[np.int64],
    occurrence: npt.ArrayLike = 0,
) -> dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]]:
    """Return the augmentation parameters of a batch.

    Args:
        augment: what is asked for.
        training: else the crop is at the centre and nothing is mirrored.
        seed: of the run.
        epoch: from 0.
        samples: sample indices, shape [n].
        occurrence: how often each came up in the epoch before.

    Returns:
        As far as they are used: `position` float32 [n, 2 k], k candidates (y, x); `flip`,
        `vertical_flip` and `transpose` int32 [n]; `scale` float32 [n, 2], factors (y, x);
        `class_draw` float32 [n, 3], or 5 where the place in the crop is drawn; `color` float32 [n,
        3, 4]; `rotation` float32 [n, 2], cosine and sine; `blur` and `noise` float32 [n], standard
        deviations in pixels and in levels, 0 for none; `noise_place` int32 [n, 2], row and column
        in the tile of noise; `jpeg` int32 [n], quality, 0 for none; `erase_start` and `erase_shape`
        float32 [n, 2], whole pixels (y, x), shape 0 for none; `user` float32 [n, USER_NUMBERS *
        operators], in [0, 1).
    """
    n = len(samples)
    if not training:
        return {"position": np.full((n, 2), 0.5, np.float32), "flip": np.zeros(n, np.int32)}

    def numbers(stream: Stream, num: int) -> Floats:
        return uniform(
            seed=seed,
            epoch=epoch,
            samples=samples,
            stream=stream,
            occurrence=occurrence,
            num=num,
            view=augment.view if stream in _OF_A_VIEW else 0,
        )

    def coins(stream: Stream, share: float) -> npt.NDArray[np.int32]:
        return (numbers(stream, 1)[:, 0] < share).astype(np.int32)

    candidates = 1 if augment.category_max_ratio is None else CANDIDATES
    made: dict[str, npt.NDArray[np.float32] | npt.NDArray[np.int32]] = {
        "position": numbers(Stream.CROP, 2 * candidates),
        "flip": coins(Stream.FLIP, augment.flip),
    }
    names = parameter_names(augment)
    if "vertical_flip" in names:
        made["vertical_flip"] = coins(Stream.VERTICAL_FLIP, augment.vertical_flip)
    if "transpose" in names:
        made["transpose"] = coins(Stream.TRANSPOSE, augment.transpose)
    if "scale" in names:
        made["scale"] = _scales(numbers(Stream.SCALE, 2), augment)
    if "class_draw" in names:
        made["class_draw"] = numbers(
            Stream.CLASS_CROP, 3 if augment.class_crop_place == "center" else 5
        )
    if "color" in names:
        made["color"] = color_matrices(numbers(Stream.COLOR, 9), augment)
    if "rotation" in names:
        made["rotation"] = _rotations(numbers(Stream.ROTATE, 2), augment)
    if "blur" in names:
        made["blur"] = _by_chance(numbers(Stream.BLUR, 2), augment.blur, augment.blur_sigma)
    if "noise" in names:
        u = numbers(Stream.NOISE, 4)
        made["noise"] = _by_chance(u[:, :2], augment.noise, augment.noise_std)
        made["noise_place"] = (u[:, 2:] * (NOISE_MARGIN + 1)).astype(np.int32)
    if "jpeg" in names:
        low, high = augment.jpeg_quality
        # every whole number from low to high alike
        quality = _by_chance(numbers(Stream.JPEG, 2), augment.jpeg, (low, high + 1))
        made["jpeg"] = np.minimum(quality, high).astype(np.int32)
    if "erase_start" in names:
        start, shape = _erased(numbers(Stream.ERASE, 5), augment)
        made |= {"erase_start": start, "erase_shape": shape}
    if "user" in names:
        made["user"] = numbers(Stream.USER, USER_NUMBERS * len(augment.operators))
    return made


def _by_chance(u: Floats, share: float, bounds: tuple[float, float]) -> Floats:
    """Return uniform numbers within bounds for this share of the samples, and 0 for the others."""
    low, high = bounds
    drawn = low + (high - low) * u[:, 1]
    return np.where(u[:, 0] < share, drawn, 0).astype(np.float32)


def _rotations(u: Floats, augment: AugmentConfig) -> Floats:
    """Return cosine and sine of the angles; exactly 1 and 0 where nothing is turned."""
    happens = u[:, 0] < augment.rotate_probability
    angle = np.deg2rad(augment.rotate * (2.0 * u[:, 1] - 1))
    angle = np.where(happens, angle, 0.0)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)


def _erased(u: Floats, augment: AugmentConfig) -> tuple[Floats, Floats]:
    """Return start and shape of the rectangles of Random Erasing (Zhong et al., AAAI 2020)."""
    crop = np.array(augment.crop_size, np.float64)
    area = _by_chance(u[:, :2], augment.erase, augment.erase_area) * crop.prod()
    low, high = np.log(augment.erase_aspect)
    aspect = np.exp(low + (high - low) * u[:, 2].astype(np.float64))
    sides = np.stack([np.sqrt(area * aspect), np.sqrt(area / aspect)], axis=1)
    # where one side is longer than the crop's it is cut, and the area with it
    shape = np.minimum(np.round(sides), crop)
    start = np.floor(u[:, 3:].astype(np.float64) * (crop - shape + 1))
    return start.astype(np.float32), shape.astype(np.float32)


@functools.lru_cache(maxsize=4)
def noise_tile(crop_size: tuple[int, int]) -> Floats:
    """Return standard normal numbers, from which each sample's noise is cut.

    The same for every run. float32 [crop height + NOISE_MARGIN, crop width + NOISE_MARGIN, 3], by
    the transform of Box and Muller (1958).
    """
    height, width = (side + NOISE_MARGIN for side in crop_size)
    # the raw output of a bit generator is the same in every version of NumPy
    bits = np.random.Philox(key=(0, Stream.NOISE_TILE)).random_raw(height * width * 3)
    radius = np.sqrt(-2 * np.log1p(-((bits >> np.uint64(32)) * 2.0**-32)))
    normal: Floats = radius * np.cos(2 * np.pi * 2.0**-32 * (bits & np.uint64(0xFFFFFFFF)))
    return normal.astype(np.float32).reshape(height, width, 3)


def _scales(u: Floats, augment: AugmentConfig) -> Floats:
    """Return factors (y, x): their geometric mean is the scale, their ratio the aspect."""
    low, high = augment.scale or (1.0, 1.0)
    if augment.scale_distribution == "uniform":
        scale = low + (high - low) * u[:, 0]
    else:
        scale = low * (high / low) ** u[:, 0]
    stretch = np.sqrt(augment.aspect ** (2 * u[:, 1] - 1))
    return np.stack([scale / stretch, scale * stretch], axis=1).astype(np.float32)


def _has_color(augment: AugmentConfig) -> bool:
    changes = (augment.brightness, augment.contrast, augment.saturation, augment.hue, augment.gray)
    return any(change > 0 for change in changes)


def color_matrices(u: Floats, augment: AugmentConfig) -> Floats:
    """Return what (r, g, b, 1), 0..255, is multiplied by, float32 [n, 3, 4].

    The order is mmsegmentation's `PhotoMetricDistortion`: brightness, contrast, saturation, hue;
    each happens with probability `photometric_probability`. Unlike there, saturation and hue act
    in YIQ, where they are linear, not in HSV, and values are clamped once, at the end; whether
    contrast comes second or last then makes no difference.

    Args:
        u: numbers in [0, 1), float32 [n, 9].
        augment: the ranges.
    """
    happens = u[:, 0:8:2] < augment.photometric_probability
    spread = 2 * u[:, 1:8:2].astype(np.float64) - 1
    shift = np.where(happens[:, 0], augment.brightness * spread[:, 0], 0.0)
    contrast = np.where(happens[:, 1], 1 + augment.contrast * spread[:, 1], 1.0)
    saturation = np.where(happens[:, 2], 1 + augment.saturation * spread[:, 2], 1.0)
    saturation = np.where(u[:, 8] < augment.gray, 0.0, saturation)
    angle = np.deg2rad(np.where(happens[:, 3], augment.hue * spread[:, 3], 0.0))
    chroma = np.zeros((len(u), 3, 3))
    chroma[:, 0, 0] = 1
    chroma[:, 1, 1] = chroma[:, 2, 2] = saturation * np.cos(angle)
    chroma[:, 1, 2] = -saturation * np.sin(angle)
    chroma[:, 2, 1] = saturation * np.sin(angle)
    linear = contrast[:, None, None] * (_RGB @ chroma @ _YIQ)
    offset = (linear @ np.ones(3)) * shift[:, None]
    return np.concatenate([linear, offset[:, :, None]], axis=2).astype(np.float32)
