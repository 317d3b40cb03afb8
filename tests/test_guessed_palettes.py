"""Palettes where nobody has said what colours mean: `labels.palette: auto`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from png_writer import PALETTE, write_png
from whole_labels import load_labels, write_image

from dali_voc import Config, DatasetError, SampleError, build_loader
from dali_voc.labels import voc_colormap
from dali_voc.packing import pack_split

NAMES = ["a", "b", "c", "d"]
VALUES = np.array([[0, 1, 2, 3], [3, 2, 1, 255]], np.uint8)
VOC = voc_colormap(256)


def write(root: Path, palette: list[tuple[int, int, int]], values: np.ndarray = VALUES) -> None:
    write_image(root / "i/a.png", values.shape)
    (root / "m").mkdir(exist_ok=True)
    label = Image.fromarray(values)
    label.putpalette([part for color in palette for part in color])
    label.save(root / "m/a.png")


def read(root: Path, *, palette: str | None = None, **dataset: Any) -> np.ndarray:
    keys = {"images": "i/*.png", "masks": "m/*.png", "classes": NAMES, **dataset}
    reading = {} if palette is None else {"palette": palette}
    (label,) = load_labels("folder", root, "train", reading=reading, **keys)
    return label


def test_colours_that_agree_with_numbers(tmp_path: Path) -> None:
    write(tmp_path, list(VOC))
    assert np.array_equal(read(tmp_path), VALUES)


def test_colours_of_other_classes_than_their_numbers(tmp_path: Path) -> None:
    """Such as predictions of a network whose first class is VOC's second colour."""
    write(tmp_path, list(VOC[1:256]))
    with pytest.raises(SampleError) as e:
        read(tmp_path)
    # each of them as often as the other; the last one's colour is of no class
    assert e.value.reason.startswith("colour (")
    assert "(0, 128, 0), which is that of class 2, with palette index 1 is not" in e.value.reason
    assert e.value.reason.endswith(
        "expected an index and a colour of one class; labels.palette: color or index says which "
        "of the two is meant"
    )
    assert np.array_equal(read(tmp_path, palette="index"), VALUES)


def test_what_is_asked_for_is_done(tmp_path: Path) -> None:
    """A program that saved a file anew: few numbers, the same colours."""
    values = np.array([[0, 1], [1, 0]], np.uint8)
    write(tmp_path, [VOC[0], VOC[3]], values)
    with pytest.raises(SampleError, match=r"labels\.palette"):
        read(tmp_path)
    assert np.array_equal(read(tmp_path, palette="color"), [[0, 3], [3, 0]])
    assert np.array_equal(read(tmp_path, palette="index"), values)


def test_colours_that_somebody_gave_are_no_guess(tmp_path: Path) -> None:
    write(tmp_path, list(VOC[1:256]), np.array([[0, 1, 2]], np.uint8))
    given = {str(VOC[i])[1:-1]: NAMES[i] for i in range(4)}
    assert np.array_equal(read(tmp_path, map=given), [[1, 2, 3]])
    # numbers that nobody uses may have any colour
    write(tmp_path, [VOC[0], VOC[1], *VOC[90:100]], np.array([[0, 1, 0]], np.uint8))
    assert np.array_equal(read(tmp_path), [[0, 1, 0]])


def test_voc_itself_goes_by_colour(tmp_path: Path) -> None:
    """Its colours are known."""
    values = np.array([[0, 1], [2, 0]], np.uint8)
    write(tmp_path, [VOC[0], VOC[15], (224, 224, 192)], values)
    layout = {"JPEGImages": "i", "SegmentationClass": "m"}
    for new, old in layout.items():
        (tmp_path / old).rename(tmp_path / new)
    (tmp_path / "JPEGImages/a.png").rename(tmp_path / "JPEGImages/a.jpg")
    (tmp_path / "ImageSets/Segmentation").mkdir(parents=True)
    (tmp_path / "ImageSets/Segmentation/train.txt").write_text("a\n")
    (label,) = load_labels("voc2012", tmp_path, "train")
    assert np.array_equal(label, [[0, 15], [255, 0]])


@pytest.mark.parametrize("colors", [4, 21, 255])
def test_void_that_the_palette_does_not_have(tmp_path: Path, colors: int) -> None:
    """Such as pseudo labels in VOC's 21 colours, whose unsure pixels are 255."""
    write(tmp_path, list(VOC))
    file = tmp_path / "m/a.png"
    file.write_bytes(write_png(VALUES, color=PALETTE, depth=8, palette=VOC[:colors]))
    assert np.array_equal(read(tmp_path), VALUES)
    file.write_bytes(write_png(VALUES, color=PALETTE, depth=8, palette=VOC[:3]))
    with pytest.raises(SampleError, match="palette index 3, which has no colour, is not in"):
        read(tmp_path)


def test_by_colour_is_the_default_where_colours_are_known(
    make_config: Callable[..., Config], tmp_path: Path
) -> None:
    """A state and a pack of the one go on with the other."""
    states = []
    for palette in "auto", "color", "index":
        config = make_config(labels={"palette": palette})
        with build_loader(config) as loader:
            states.append(loader.state_dict()["fingerprint"]["classes"])
        if palette == "index":
            with pytest.raises(DatasetError, match="palette 'color', not 'index'"):
                pack_split(config, tmp_path / "packed")
        else:
            pack_split(config, tmp_path / "packed")
    assert states[0] == states[1] != states[2]
    write(tmp_path, list(VOC))
    folder = {"name": "folder", "images": "i/*.png", "masks": "m/*.png", "classes": NAMES}
    prints = []
    for palette in "auto", "color":
        config = make_config(tmp_path, dataset=folder, labels={"palette": palette})
        with build_loader(config) as loader:
            prints.append(loader.state_dict()["fingerprint"]["classes"])
    assert prints[0] != prints[1]
