from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from dali_voc.datasets.voc import VOC_BORDER_COLOR, VOC_SPEC
from dali_voc.labels import LabelSpec, LabelTables, colorize, voc_colormap
from dali_voc.reference import VOC_CLASSES, VOC_COLORMAP

# The first colours as printed in VOC's documentation and in the textbook.
DOCUMENTED = [
    *([0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0], [0, 0, 128], [128, 0, 128]),
    *([0, 128, 128], [128, 128, 128], [64, 0, 0], [192, 0, 0], [64, 128, 0], [192, 128, 0]),
    *([64, 0, 128], [192, 0, 128], [64, 128, 128], [192, 128, 128], [0, 64, 0], [128, 64, 0]),
    *([0, 192, 0], [128, 192, 0], [0, 64, 128]),
]


def test_voc_colors_are_the_documented_ones() -> None:
    assert VOC_COLORMAP == DOCUMENTED
    assert VOC_BORDER_COLOR == (224, 224, 192)
    assert len(set(voc_colormap(256))) == 256
    assert len(VOC_CLASSES) == 21
    assert (VOC_CLASSES[0], VOC_CLASSES[20]) == ("background", "tv/monitor")


def test_real_palette(real_voc) -> None:
    path = next((real_voc / "SegmentationClass").glob("*.png"))
    palette = np.array(Image.open(path).getpalette()).reshape(-1, 3)
    assert [tuple(c) for c in palette.tolist()] == list(voc_colormap(len(palette)))


def test_colorize_gives_each_class_its_color() -> None:
    labels = np.array([[0, 5, 20], [255, 30, 1]])
    painted = colorize(labels, VOC_SPEC)
    assert painted.shape == (2, 3, 3)
    assert painted[0].tolist() == [list(VOC_SPEC.colors[i]) for i in (0, 5, 20)]
    assert painted[1, 0].tolist() == list(VOC_BORDER_COLOR)
    assert painted[1, 1].tolist() == [255, 0, 255]


def test_tables_send_void_to_ignore_index() -> None:
    spec = LabelSpec(classes=("a", "b"), colors=((1, 2, 3), (4, 5, 6)), void_colors=((9, 9, 9),))
    (tables,) = LabelTables.build(spec, ignore_index=77)
    assert tables.colors == (0x010203, 0x040506, 0x090909)
    assert tables.color_classes == (0, 1, 77)
    assert dict(zip(tables.values, tables.value_classes, strict=True)) == {0: 0, 1: 1, 255: 77}


def test_classes_and_colors_must_fit() -> None:
    with pytest.raises(ValueError, match="2 classes but 1 colours"):
        LabelSpec(classes=("a", "b"), colors=((0, 0, 0),))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"classes": ("a", "a")}, "'a' is there twice"),
        ({"void_values": (1,)}, "value 1 is there twice; see void_values"),
        ({"void_values": (70000,)}, "expected 0 to 65535"),
    ],
)
def test_specs_that_would_fail_later(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LabelSpec(**{"classes": ("a", "b"), "colors": voc_colormap(2), **changes})


@pytest.mark.parametrize("size", [2, 256, 300])
def test_indices_of_no_class_are_magenta(size: int) -> None:
    colors = tuple((i >> 8, i & 255, 7) for i in range(size))
    spec = LabelSpec(classes=tuple(map(str, range(size))), colors=colors, void_values=(65535,))
    labels = np.array([-1, -100, size, 0, size - 1, 65535])
    painted = colorize(labels, spec, ignore_index=65535)
    magenta = [255, 0, 255]
    assert painted[:3].tolist() == [magenta] * 3
    assert painted[3:5].tolist() == [list(colors[0]), list(colors[-1])]
    assert painted[5].tolist() == [255, 255, 255]


def test_colors_of_several_classes_tell_nothing_apart() -> None:
    colors = ((1, 2, 3), (1, 2, 3), (4, 5, 6), (7, 8, 9))
    spec = LabelSpec(classes=("a", "b", "c", "d"), colors=colors, void_colors=((7, 8, 9),))
    (found,) = spec.label_maps()
    assert dict(found.colors) == {(4, 5, 6): 2}


def test_negative_indices_are_magenta_beside_many_classes() -> None:
    names = tuple(map(str, range(256)))
    spec = LabelSpec(classes=names, colors=voc_colormap(256), void_values=(65535,))
    assert colorize(np.array([-1, -100, -300]), spec).tolist() == [[255, 0, 255]] * 3


@pytest.mark.parametrize("what", ["color", "value"])
def test_tables_with_a_key_twice(what: str) -> None:
    with pytest.raises(ValueError, match="7 is there twice"):
        LabelTables(**{f"{what}s": (7, 7), f"{what}_classes": (0, 1)})
