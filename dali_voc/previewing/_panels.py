"""One panel of a sheet: a picture or a label, scaled, with the window that is cut from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from dali_voc.labels import LabelSpec
from dali_voc.previewing._codes import paint
from dali_voc.previewing._shown import Window

__all__ = ["LEAST_SIDE", "Box", "Panel", "draw_panel", "scaled_shape"]

Box = tuple[int, int, int, int]  # left, top, and the pixels behind right and bottom

LEAST_SIDE = 160  # of a panel: smaller pictures are shown with larger pixels
_FRAME = (160, 160, 160)
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """A picture, or a label.

    Attributes:
        pixels: uint8 [height, width, 3], or codes, int32 [height, width].
        window: drawn as a frame.
    """

    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.int32]
    window: Window | None = None


def scaled_shape(panel: Panel, size: int) -> tuple[int, int]:
    """Return height and width of a panel on a sheet.

    Args:
        panel: the panel.
        size: its longest side may be that long, pixels.
    """
    height, width = panel.pixels.shape[:2]
    longest = max(height, width)
    if longest > size:
        return max(1, round(height * size / longest)), max(1, round(width * size / longest))
    times = -(-LEAST_SIDE // longest) if longest < LEAST_SIDE else 1
    times = min(times, size // longest)
    return height * times, width * times


def draw_panel(
    picture: Image.Image, panel: Panel, box: Box, *, spec: LabelSpec, thickness: int
) -> None:
    """Draw a panel into a box of the size that `scaled_shape` says, and a thin line around it."""
    pen = ImageDraw.Draw(picture)
    # the line is around the pixels, not on them
    pen.rectangle((box[0] - 1, box[1] - 1, box[2], box[3]), outline=_FRAME)
    picture.paste(_scale(panel.pixels, (box[3] - box[1], box[2] - box[0]), spec), box[:2])
    if panel.window is not None:
        _draw_window(pen, panel.window, panel.pixels.shape, box, thickness=thickness)


def _scale(
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.int32], shape: tuple[int, int], spec: LabelSpec
) -> Image.Image:
    height, width = pixels.shape[:2]
    if pixels.ndim == 3 and shape[0] < height:
        image = Image.fromarray(pixels.astype(np.uint8, copy=False))
        return image.resize((shape[1], shape[0]), Image.Resampling.BOX)
    # the nearest pixel: colours in between would be those of other classes
    y = (np.arange(shape[0]) * 2 + 1) * height // (2 * shape[0])
    x = (np.arange(shape[1]) * 2 + 1) * width // (2 * shape[1])
    near = pixels[y[:, None], x]
    if near.ndim == 3:
        return Image.fromarray(near.astype(np.uint8, copy=False))
    return Image.fromarray(paint(near.astype(np.int32, copy=False), spec))


def _draw_window(
    pen: ImageDraw.ImageDraw, window: Window, shape: tuple[int, ...], box: Box, *, thickness: int
) -> None:
    """Draw a frame that is seen on light and on dark."""
    left, top, right, bottom = box
    by_y, by_x = (bottom - top) / shape[0], (right - left) / shape[1]
    y0, x0, y1, x1 = window
    outer = (
        max(left, left + round(x0 * by_x)),
        max(top, top + round(y0 * by_y)),
        min(right, left + round(x1 * by_x)) - 1,
        min(bottom, top + round(y1 * by_y)) - 1,
    )
    colors = (_BLACK, *(_WHITE,) * (2 * thickness), _BLACK)
    for inset, color in enumerate(colors):
        edge = (outer[0] + inset, outer[1] + inset, outer[2] - inset, outer[3] - inset)
        if edge[0] < edge[2] and edge[1] < edge[3]:
            pen.rectangle(edge, outline=color)
