"""Pictures of which little is left as 8 bits of red, green and blue."""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from typing import IO, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._spread import spread

__all__ = ["warn_of_lost_values"]

_log = logging.getLogger("dali_voc")
_LOOKED_AT = 4
_MOST_PIXELS = 1 << 24  # of a picture that is decoded for its values
_PNG, _PNG_DEPTH = b"\x89PNG\r\n\x1a\n", 24  # where in a file the depth stands
_BIG_TIFF = (b"II+\0", b"MM\0+")
_TIFF = (b"II*\0", b"MM\0*", *_BIG_TIFF)
_BITS, _SAMPLES, _EXTRA, _FORMAT = 258, 277, 338, 339  # tags of TIFF
_FLOAT = 3
_COLORS = 3
# of 16 bits; pictures that never come so far would be left with 32 levels of 256
_DARK = 65536 // 8


@dataclass(frozen=True, kw_only=True)
class _Loss:
    """What is lost of a picture: its channels, or values from `low` to `high`."""

    what: Literal["channels", "floats", "dark"]
    low: float = 0.0
    high: float = 0.0


def warn_of_lost_values(index: PairIndex) -> None:
    """Warn where images hold more than is taken of them: floats, 16 bits in part, many channels.

    Args:
        index: of the split; a few of its images' headers are read, and those of 16 bits decoded.
    """
    found: list[_Loss | None] = []
    first = ""
    for i in spread(len(index), most=_LOOKED_AT).tolist():
        try:
            with warnings.catch_warnings(), index.images.open(i) as file:
                warnings.simplefilter("ignore")  # of sizes that Pillow calls bombs
                found.append(_find_loss(file))
        except Exception:  # what is wrong with it is said when it is read
            continue
        first = first or index.images[i]
    losses = [loss for loss in found if loss is not None]
    # a dark one among others is no matter
    if losses and len(losses) == len(found) and len({loss.what for loss in losses}) == 1:
        _log.warning("images such as %s: %s", first, _in_words(losses))


def _in_words(losses: list[_Loss]) -> str:
    low, high = min(loss.low for loss in losses), max(loss.high for loss in losses)
    if losses[0].what == "channels":
        return f"TIFF of {high:.0f} channels, of which the first three are taken"
    if losses[0].what == "floats":
        return (
            f"TIFF of floating point from {low:g} to {high:g}, which is taken to be 0 to 1: what "
            "lies outside becomes black and white; scale it to that, or write 8 bits"
        )
    return (
        f"no value of their 16 bits is above {high:.0f}, and 8 bits are taken of them (the value "
        f"over 257): they are nearly black; multiply by {65535 // max(1, int(high))}, or write 8 "
        "bits"
    )


def _find_loss(file: IO[bytes]) -> _Loss | None:
    head = file.read(_PNG_DEPTH + 1)
    if head[:4] in _TIFF:
        return _of_tiff(file)
    if head[:8] == _PNG and head[_PNG_DEPTH] == 16:
        return _of_16_bits(file)
    return None


def _of_tiff(file: IO[bytes]) -> _Loss | None:
    file.seek(0)
    head = file.read(16)
    directory = ImageFileDirectory_v2(head if head[:4] in _BIG_TIFF else head[:8])
    file.seek(directory.next)
    directory.load(file)
    samples = directory.get(_SAMPLES, 1)
    # what Exif and GeoTIFF call a fourth channel of which nobody says that it is alpha
    spare = directory.get(_EXTRA, (0,) * max(0, samples - _COLORS))
    if samples > _COLORS + 1 or (samples == _COLORS + 1 and 0 in spare):
        return _Loss(what="channels", high=samples)
    if _FLOAT in directory.get(_FORMAT, ()):
        values = _values(file)
        if values is None or (np.nanmin(values) >= 0 and np.nanmax(values) <= 1):
            return None
        return _Loss(what="floats", low=float(np.nanmin(values)), high=float(np.nanmax(values)))
    return _of_16_bits(file) if max(directory.get(_BITS, (1,))) == 16 else None


def _of_16_bits(file: IO[bytes]) -> _Loss | None:
    values = _values(file)
    if values is None:
        return None
    highest = int(values.max())
    if values.dtype == np.uint8:  # of colours Pillow gives the higher byte alone
        highest = highest * 256 + 255
    return _Loss(what="dark", high=highest) if highest < _DARK else None


def _values(file: IO[bytes]) -> npt.NDArray[np.generic] | None:
    """Return the values of a picture without alpha; None of a very large one."""
    file.seek(0)
    with Image.open(file) as picture:
        if picture.width * picture.height > _MOST_PIXELS:
            return None
        values = np.asarray(picture)
        alpha = picture.mode.endswith("A") or picture.mode == "RGBX"
    return values[..., :-1] if alpha else values
