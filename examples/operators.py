"""Two DALI operators of one's own, for `augment.operators`.

PYTHONPATH=examples dali-voc demo --set 'augment.operators=[operators:solarize]'

They take and return an image node, uint8 [height, width, 3], and a label node, class indices
[height, width]: the finished crop, before it is normalised. A third parameter gets eight numbers in
[0, 1) per sample, a pure function of (seed, epoch, sample). `if` on nodes works sample by sample.
"""

from typing import Any

from nvidia.dali import fn, types


def solarize(image: Any, label: Any, numbers: Any) -> tuple[Any, Any]:
    """Invert the bright colours of a tenth of the samples."""
    if numbers[0] < 0.1:
        bright = image >= 128
        result = fn.cast(image * (1 - bright) + (255 - image) * bright, dtype=types.UINT8)
    else:
        result = image
    return result, label


def buses_are_cars(image: Any, label: Any) -> tuple[Any, Any]:
    """Make VOC's class 6, bus, class 7, car."""
    return image, label + (label == 6)
