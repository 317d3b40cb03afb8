"""Graph: what happens to the picture alone, sample by sample: blur, noise, JPEG artefacts.

DALI's AutoGraph turns the `if`s on nodes into splits of the batch: only those samples pay.
"""

from __future__ import annotations

from typing import Any

from nvidia.dali import fn, types

from dali_voc.augment import noise_tile

__all__ = ["distort", "distorts"]


def distorts(given: dict[str, Any]) -> bool:
    """Return whether `distort` has anything to do."""
    return any(name in given for name in ("blur", "noise", "jpeg"))


def distort(image: Any, given: dict[str, Any], *, crop_size: tuple[int, int]) -> Any:
    """Blur, add noise, and compress; in the order in which a camera does it.

    Args:
        image: uint8 [crop height, crop width, 3].
        given: see `dali_voc.augment.draw_parameters`.
        crop_size: height and width, pixels.
    """
    if "blur" in given:
        image = _blur(image, given["blur"])
    if "noise" in given:
        tile = types.Constant(noise_tile(crop_size))
        image = _add_noise(image, tile, given["noise"], given["noise_place"], crop_size)
    if "jpeg" in given:
        image = _compress(image, given["jpeg"])
    return image


def _blur(image: Any, sigma: Any) -> Any:
    if sigma > 0:  # noqa: SIM108 (AutoGraph does not know `a if b else c`)
        result = fn.gaussian_blur(image, sigma=sigma)
    else:
        result = image
    return result


def _add_noise(image: Any, tile: Any, std: Any, place: Any, crop_size: tuple[int, int]) -> Any:
    if std > 0:
        field = fn.slice(tile, start=place, shape=list(crop_size), axes=[0, 1])
        field = field.gpu() if image.device == "gpu" else field
        result = fn.cast(image + field * std, dtype=types.UINT8)  # rounds and saturates
    else:
        result = image
    return result


def _compress(image: Any, quality: Any) -> Any:
    if quality > 0:  # noqa: SIM108 (see above)
        result = fn.jpeg_compression_distortion(image, quality=quality)
    else:
        result = image
    return result
