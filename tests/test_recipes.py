"""Each block of docs/recipes.md on made-up files of that layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from whole_labels import by_value, load_labels, write_image, write_label

from dali_voc import build_loader, parse_config

PAGE = Path(__file__).parents[1] / "docs/recipes.md"
BLOCKS = {
    block.split("root: ")[1].split("\n")[0]: block
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
}
# numbers in Cityscapes' own files of the 19 classes
IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
TRAIN_IDS = {k: k for k in range(19)}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Paths of an image and its label below the root, what labels may hold, and its classes."""

    pairs: tuple[tuple[str, str], ...]
    values: dict[int, int]
    void: tuple[int, ...]
    others: tuple[str, ...] = ()
    split: str = "train"
    classes: int = 19
    palette: bool = False
    lists: str | None = None


LAYOUTS = {
    "/data/potsdam": Layout(
        pairs=(("img_dir/train/2_10_0.png", "ann_dir/train/2_10_0.png"),),
        others=("img_dir/val/2_11_0.png", "ann_dir/val/2_11_0.png"),
        values={k: k - 1 for k in range(1, 7)},
        void=(0, 255),
        classes=6,
    ),
    "/data/loveda": Layout(
        pairs=(
            ("Train/Rural/images_png/0.png", "Train/Rural/masks_png/0.png"),
            ("Train/Urban/images_png/1366.png", "Train/Urban/masks_png/1366.png"),
        ),
        others=("Val/Rural/images_png/2522.png", "Val/Rural/masks_png/2522.png"),
        values={k: k - 1 for k in range(1, 8)},
        void=(0,),
        split="Train",
        classes=7,
    ),
    "/data/bdd100k": Layout(
        pairs=(
            ("images/10k/train/0004a4c0.jpg", "labels/sem_seg/masks/train/0004a4c0.png"),
            ("images/10k/train/00054602.jpg", "labels/sem_seg/masks/train/00054602.png"),
        ),
        others=("images/10k/test/0.jpg", "labels/sem_seg/colormaps/train/0004a4c0.png"),
        values=TRAIN_IDS,
        void=(255,),
    ),
    "/data/acdc": Layout(
        pairs=tuple(
            (
                f"rgb_anon/{kind}/train/{drive}/{drive}_frame_000041_rgb_anon.png",
                f"gt/{kind}/train/{drive}/{drive}_frame_000041_gt_labelTrainIds.png",
            )
            for kind, drive in (("fog", "GOPR0475"), ("night", "GOPR0351"))
        ),
        others=(
            "rgb_anon/fog/train_ref/GOPR0475/GOPR0475_frame_000041_rgb_ref_anon.png",
            "gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelIds.png",
            "gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelColor.png",
            "rgb_anon/fog/val/GOPR0476/GOPR0476_frame_000001_rgb_anon.png",
        ),
        values=TRAIN_IDS,
        void=(255,),
    ),
    "/data/gta5": Layout(
        pairs=(("images/00001.png", "labels/00001.png"), ("images/00003.png", "labels/00003.png")),
        others=("images/00002.png", "labels/00002.png"),
        values={number: k for k, number in enumerate(IDS)},
        void=tuple(k for k in range(35) if k not in IDS),
        palette=True,
        lists="train.txt",
    ),
    "/data/VOCdevkit/VOC2010": Layout(
        pairs=(("JPEGImages/2008_000002.jpg", "SegmentationClassContext/2008_000002.png"),),
        others=("JPEGImages/2008_000003.jpg", "SegmentationClassContext/2008_000003.png"),
        values={k: k - 1 for k in range(1, 60)},
        void=(0, 255),
        classes=59,
        lists="train.txt",
    ),
}


def make(root: Path, layout: Layout) -> list[np.ndarray[Any, Any]]:
    """Write the files, and return what labels hold."""
    values = np.array([*layout.values, *layout.void])
    # colours that are neither VOC's nor in order, as those of games
    palette = [(k * 37 % 256, 200, k) for k in range(256)] if layout.palette else None
    stored = []
    for shift, (image, label) in enumerate(layout.pairs):
        stored.append(np.stack([np.roll(values, shift), values[::-1]]))
        write_image(root / image, stored[-1].shape)
        write_label(root / label, stored[-1], palette)
    for other in layout.others:
        write_image(root / other, (2, 3))
    if layout.lists:
        names = [Path(image).stem for image, _ in layout.pairs]
        (root / layout.lists).write_text("".join(f"{name}\n" for name in names))
    return stored


@pytest.mark.parametrize("kind", ["L", "I;16", "RGB"])
def test_labels_in_other_files(kind: str, tmp_path: Path) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    values = np.arange(600).reshape(20, 30)
    pixels = {
        "L": (values % 256).astype(np.uint8),
        "I;16": values.astype(np.uint16),
        "RGB": np.stack([values % 7, values % 5, values % 3], axis=2).astype(np.uint8),
    }[kind]
    Image.fromarray(pixels).save(tmp_path / "a.tif")
    exec(code.replace("/data/mine/labels", str(tmp_path)), {})
    assert np.array_equal(np.array(Image.open(tmp_path / "a.png")), pixels)


def keys_of(section: dict[str, Any]) -> dict[str, Any]:
    return {key: section[key] for key in section if key not in ("name", "root")}


def test_each_block_has_a_layout() -> None:
    assert set(BLOCKS) == {*LAYOUTS, "/data"}


@pytest.mark.parametrize("place", LAYOUTS)
def test_recipe(place: str, tmp_path: Path) -> None:
    layout = LAYOUTS[place]
    stored = make(tmp_path, layout)
    section = yaml.safe_load(BLOCKS[place])["dataset"]
    assert len(section["classes"]) == layout.classes
    found = load_labels(section["name"], tmp_path, layout.split, **keys_of(section))
    assert len(found) == len(layout.pairs)
    for label, values in zip(found, stored, strict=True):
        assert np.array_equal(label, by_value(values, layout.values))


@pytest.mark.parametrize(("split", "training"), [("Train", True), ("Val", False)])
def test_names_of_splits_that_begin_with_a_capital(
    tmp_path: Path, split: str, training: bool
) -> None:
    make(tmp_path, LAYOUTS["/data/loveda"])
    write_label(tmp_path / "Val/Rural/masks_png/2522.png", np.ones((2, 3)))
    section = yaml.safe_load(BLOCKS["/data/loveda"])["dataset"]
    tree = {
        "dataset": {**section, "root": str(tmp_path)},
        "augment": {"crop_size": [2, 2]},
        "loader": {"batch_size": 1, "device": "cpu"},
    }
    with build_loader(parse_config(tree), split=split) as loader:
        assert loader.plan.training == training


def test_two_sets_as_one(tmp_path: Path) -> None:
    section = yaml.safe_load(BLOCKS["/data"])["dataset"]
    driving = make(tmp_path / "bdd100k", LAYOUTS["/data/bdd100k"])
    numbers = np.arange(34).reshape(2, 17)
    stem = "train/bonn/bonn_000000_000019"
    write_image(tmp_path / f"cityscapes/leftImg8bit/{stem}_leftImg8bit.png", numbers.shape)
    write_label(tmp_path / f"cityscapes/gtFine/{stem}_gtFine_labelIds.png", numbers)
    first, *rest = load_labels("sources", tmp_path, "train", **keys_of(section))
    assert np.array_equal(first, by_value(numbers, {n: k for k, n in enumerate(IDS)}))
    for label, values in zip(rest, driving, strict=True):
        assert np.array_equal(label, by_value(values, TRAIN_IDS))
