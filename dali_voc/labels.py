"""Label colours, classes and tables: what the values in label files mean.

Pure data and NumPy; nothing here reads files or knows DALI.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from dali_voc._near_match import near_match
from dali_voc._repeats import find_twice
from dali_voc.errors import ConfigError

__all__ = [
    "NO_LABEL",
    "Color",
    "LabelDtype",
    "LabelMap",
    "LabelSpec",
    "LabelTables",
    "colorize",
    "find_classes",
    "usual_void",
    "voc_colormap",
]

Color = tuple[int, int, int]
LabelDtype = Literal["uint8", "int32", "int64"]

# in place of the number of a label map: there is no label
NO_LABEL = -1


def voc_colormap(n: int = 256) -> tuple[Color, ...]:
    """Return the first `n` colours (R, G, B) of PASCAL VOC's palette.

    The bits of the index are dealt out to the channels, from the highest bit of each down: the
    function `VOClabelcolormap` of the VOC development kit.
    """
    colors = []
    for index in range(n):
        rgb = [0, 0, 0]
        for bit in range(8):
            for channel in range(3):
                rgb[channel] |= (index >> (3 * bit + channel) & 1) << (7 - bit)
        colors.append((rgb[0], rgb[1], rgb[2]))
    return tuple(colors)


def usual_void(size: int) -> int:
    """Return the gray value that means "no class" beside `size` others, where nothing says so."""
    return 255 if size <= 255 else 65535


@dataclass(frozen=True, kw_only=True)
class LabelMap:
    """Which class each value in the label files of one source stands for; None: no class.

    Attributes:
        values: gray values, 0..65535, or palette indices.
        colors: colours, of RGB files and, by default, of palettes.
        colors_guessed: nobody has said what colours mean: these are usual.
    """

    values: tuple[tuple[int, int | None], ...] = ()
    colors: tuple[tuple[Color, int | None], ...] = ()
    colors_guessed: bool = False

    def __post_init__(self) -> None:
        for what, entries in (("value", self.values), ("colour", self.colors)):
            twice = find_twice([key for key, _ in entries])
            if twice is not None:
                raise ValueError(f"{what} {twice} is there twice")
        for value, _ in self.values:
            if not 0 <= value <= 65535:
                raise ValueError(f"value {value}: expected 0 to 65535")
        for color, _ in self.colors:
            _check_color(color)


@dataclass(frozen=True, kw_only=True)
class LabelSpec:
    """What label values mean in one data set.

    Attributes:
        classes: the classes' names; a class's index is its place here.
        colors: the colour of each class, for reading colour-coded labels and for display.
        void_colors: colours that mean "no class" (VOC's border).
        void_values: gray values or palette indices that mean the same.
        maps: where files do not hold these classes' own indices and colours, what they do hold; of
            each source of labels, see `PairIndex.source`.
        shown: the colour of each class for display, where those are not `colors`.
        colors_guessed: see `LabelMap`; for where there are no `maps`.
    """

    classes: tuple[str, ...]
    colors: tuple[Color, ...]
    void_colors: tuple[Color, ...] = ()
    void_values: tuple[int, ...] = (255,)
    maps: tuple[LabelMap, ...] = ()
    shown: tuple[Color, ...] = ()
    colors_guessed: bool = False

    def __post_init__(self) -> None:
        twice = find_twice(self.classes)
        if twice is not None:
            raise ValueError(f"classes: {twice!r} is there twice")
        for colors in self.colors, self.display_colors:
            if len(self.classes) != len(colors):
                raise ValueError(f"{len(self.classes)} classes but {len(colors)} colours")
        for color in (*self.colors, *self.shown, *self.void_colors):
            _check_color(color)
        for label_map in self.maps:
            for key, index in (*label_map.values, *label_map.colors):
                if index is not None and not 0 <= index < len(self.classes):
                    raise ValueError(f"{key} stands for class {index} of {len(self.classes)}")
        try:
            self.label_maps()
        except ValueError as e:
            raise ValueError(f"{e}; see void_values") from None

    @property
    def display_colors(self) -> tuple[Color, ...]:
        """The colour of each class for people to look at."""
        return self.shown or self.colors

    def palette_rule(self, palette: str) -> str:
        """Return what `labels.palette` comes to: "auto" is "color" where no colour is guessed."""
        guessed = any(label_map.colors_guessed for label_map in self.label_maps())
        return "color" if palette == "auto" and not guessed else palette

    def label_maps(self) -> tuple[LabelMap, ...]:
        """Return what label files hold, of each source; at least one."""
        if self.maps:
            return self.maps
        own = ((index, index) for index in range(len(self.classes)))
        values = (*own, *((value, None) for value in self.void_values))
        # colours that several classes have are for display, and tell nothing apart in files
        times = Counter((*self.colors, *self.void_colors))
        of_classes = ((color, index) for index, color in enumerate(self.colors))
        of_void = ((color, None) for color in self.void_colors)
        colors = tuple(entry for entry in (*of_classes, *of_void) if times[entry[0]] == 1)
        return (LabelMap(values=values, colors=colors, colors_guessed=self.colors_guessed),)


def _check_color(color: Color) -> None:
    if len(color) != 3 or not all(0 <= value <= 255 for value in color):
        raise ValueError(f"colour {color}: expected three values from 0 to 255")


@dataclass(frozen=True, kw_only=True)
class LabelTables:
    """The tables of the label operator: `colors[i]` becomes `color_classes[i]`, and so on.

    Attributes:
        colors: 24-bit colours, R in the highest byte.
        color_classes: their class indices.
        values: gray values, 0..65535, or palette indices.
        value_classes: their class indices.
        colors_guessed: see `LabelMap`.

    Raises:
        ValueError: a colour, value or class is none that there is, or a colour or value is there
            twice, or there is not one class for each.
    """

    colors: tuple[int, ...] = ()
    color_classes: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    value_classes: tuple[int, ...] = ()
    colors_guessed: bool = False

    def __post_init__(self) -> None:
        for what, keys, classes, most in (
            ("colour", self.colors, self.color_classes, 0xFFFFFF),
            ("value", self.values, self.value_classes, 65535),
        ):
            if len(keys) != len(classes):
                raise ValueError(f"{len(keys)} {what}s but {len(classes)} classes")
            for name, numbers, limit in (what, keys, most), ("class", classes, 65534):
                for number in numbers:
                    if not isinstance(number, Integral) or not 0 <= number <= limit:
                        raise ValueError(f"{name} {number!r}: expected an integer, 0 to {limit}")
            twice = find_twice(keys)
            if twice is not None:
                raise ValueError(f"{what} {twice} is there twice")

    @classmethod
    def build(cls, spec: LabelSpec, *, ignore_index: int) -> tuple[LabelTables, ...]:
        """Lay out what the labels of each source hold, with void becoming `ignore_index`."""
        return tuple(
            cls(
                colors=tuple(r << 16 | g << 8 | b for (r, g, b), _ in label_map.colors),
                color_classes=tuple(_or_ignore(i, ignore_index) for _, i in label_map.colors),
                values=tuple(value for value, _ in label_map.values),
                value_classes=tuple(_or_ignore(i, ignore_index) for _, i in label_map.values),
                colors_guessed=label_map.colors_guessed,
            )
            for label_map in spec.label_maps()
        )


def _or_ignore(index: int | None, ignore_index: int) -> int:
    return ignore_index if index is None else index


def find_classes(names: Sequence[str], classes: Sequence[str], *, key: str) -> tuple[int, ...]:
    """Return the class indices of names that stand in the configuration under `key`.

    Raises:
        ConfigError: one is not in the class list.
    """
    for name in names:
        if name not in classes:
            hint = near_match(name, classes)
            raise ConfigError(f"{key}: found {name!r}, expected one of: {', '.join(classes)}{hint}")
    return tuple(classes.index(name) for name in names)


def colorize(
    labels: npt.NDArray[np.integer[Any]], spec: LabelSpec, *, ignore_index: int = 255
) -> npt.NDArray[np.uint8]:
    """Paint class indices for people to look at.

    Args:
        labels: class indices, any shape.
        spec: where the colours come from.
        ignore_index: painted in the void colour, or white where the data set has none.

    Returns:
        uint8 colours, shape `labels.shape + (3,)`; indices of no class are magenta.
    """
    labels = np.where(labels < 0, -1, labels)  # the palette's last, of no class
    size = max(256, int(labels.max(initial=0)) + 2, len(spec.colors) + 1, ignore_index + 2)
    palette = np.full((size, 3), (255, 0, 255), np.uint8)
    palette[: len(spec.colors)] = spec.display_colors
    if ignore_index >= len(spec.colors):
        palette[ignore_index] = spec.void_colors[0] if spec.void_colors else (255, 255, 255)
    painted: npt.NDArray[np.uint8] = palette[labels]
    return painted
