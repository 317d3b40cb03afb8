"""What the random numbers of a sample do to it: arrays for a batch, as pure functions.

Each purpose has its own stream of random numbers, so that turning one thing on changes no other.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dali_voc.config import AugmentConfig
from dali_voc.randomness import Stream, uniform

__all__ = ["CANDIDATES", "color_matrices", "draw_parameters", "parameter_names"]

Floats = npt.NDArray[np.float32]

# Crop positions that are tried for `category_max_ratio`, as in mmsegmentation's RandomCrop.
CANDIDATES = 10

# RGB to luma and chroma (YIQ, FCC 1953), in which saturation and hue are a scaling and a rotation.
_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
_RGB = np.linalg.inv(_YIQ)


def parameter_names(augment: AugmentConfig) -> tuple[str, ...]:
    """Return which arrays `draw_parameters` gives, in their order."""
    optional = {
        "vertical_flip": augment.vertical_flip > 0,
        "scale": augment.scale is not None,
        "class_draw": bool(augment.class_crop),
        "color": _has_color(augment),
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
        As far as they are used: `position` float32 [n, 2 k], k candidates (y, x); `flip` and
        `vertical_flip` int32 [n]; `scale` float32 [n, 2], factors (y, x); `class_draw` float32
        [n, 3]; `color` float32 [n, 3, 4].
    """
    n = len(samples)
    if not training:
        return {"position": np.full((n, 2), 0.5, np.float32), "flip": np.zeros(n, np.int32)}

    def numbers(stream: Stream, num: int) -> Floats:
        return uniform(
            seed=seed, epoch=epoch, samples=samples, stream=stream, occurrence=occurrence, num=num
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
    if "scale" in names:
        made["scale"] = _scales(numbers(Stream.SCALE, 2), augment)
    if "class_draw" in names:
        made["class_draw"] = numbers(Stream.CLASS_CROP, 3)
    if "color" in names:
        made["color"] = color_matrices(numbers(Stream.COLOR, 9), augment)
    return made


def _scales(u: Floats, augment: AugmentConfig) -> Floats:
    """Return factors (y, x): their geometric mean is the scale, their ratio the aspect."""
    assert augment.scale is not None
    low, high = augment.scale
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
