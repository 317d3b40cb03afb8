"""Each block of docs/annotation-tools.md on made-up files of that layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from whole_labels import load_labels, write_image, write_label

from dali_voc import DatasetError, SampleError
from dali_voc.datasets import DatasetOptions, find_pairs
from dali_voc.labels import voc_colormap

PAGE = Path(__file__).parents[1] / "docs/annotation-tools.md"
BLOCKS = {
    block.split("root: ")[1].split("\n")[0]: yaml.safe_load(block)["dataset"]
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
}
NAMES = ("background", "crop", "a: weed")
COLORS = {0: (0, 0, 0), 1: (40, 160, 60), 2: (250, 50, 83), 255: (9, 9, 9)}
LABEL = np.array([[0, 1, 2, 1], [255, 2, 0, 0], [1, 1, 2, 255]])
DRAWN = np.where(LABEL == 255, 0, LABEL)  # where nothing is ignored


def colored(label: np.ndarray, colors: dict[int, tuple[int, int, int]]) -> np.ndarray:
    return np.array([[colors[int(value)] for value in row] for row in label], np.uint8)


def cvat(root: Path) -> None:
    rows = [f"{name}:{','.join(map(str, COLORS[i]))}::" for i, name in enumerate(NAMES)]
    rows += ["ignored:9,9,9::", "", ""]
    (root / "labelmap.txt").write_text("\n".join(["# label:color_rgb:parts:actions", *rows]))
    write_image(root / "JPEGImages/a.jpg", LABEL.shape)
    write_label(root / "SegmentationClass/a.png", colored(LABEL, COLORS))
    write_image(root / "SegmentationObject/a.png", LABEL.shape)
    lists = root / "ImageSets/Segmentation"
    lists.mkdir(parents=True)
    (lists / "Train.txt").write_text("a\n")


def roboflow(root: Path) -> None:
    for split in "train", "valid":
        write_image(root / f"{split}/a_jpg.rf.0ff.jpg", LABEL.shape)
        write_label(root / f"{split}/a_jpg.rf.0ff_mask.png", LABEL)
        rows = [f"{i}, {name}\n" for i, name in enumerate(NAMES)]
        (root / f"{split}/_classes.csv").write_text("".join(["Pixel Value, Class\n", *rows]))


def labelme(root: Path) -> None:
    write_image(root / "JPEGImages/a.jpg", LABEL.shape)
    write_label(root / "SegmentationClass/a.png", LABEL, voc_colormap())
    write_image(root / "SegmentationClassVisualization/a.jpg", LABEL.shape)
    (root / "class_names.txt").write_text("\n".join(NAMES))


def supervisely(root: Path) -> None:
    for split in "train", "val":
        write_image(root / f"{split}/img/a.jpg", LABEL.shape)
        machine = colored(DRAWN, {k: (k, k, k) for k in range(3)})
        write_label(root / f"{split}/masks_machine/a.png", machine)
        write_image(root / f"{split}/masks_human/a.png", LABEL.shape)
    colors = {name: [i, i, i] for i, name in enumerate(NAMES) if i > 0}
    (root / "obj_class_to_machine_color.json").write_text(json.dumps(colors))


def v7(root: Path) -> None:
    write_image(root / "images/a.png", LABEL.shape)
    write_label(root / "masks/a.png", colored(DRAWN, COLORS))
    rows = [f"{name},{' '.join(map(str, COLORS[i]))}" for i, name in enumerate(NAMES)]
    (root / "class_mapping.csv").write_text("\r\n".join(["class_name,class_color", *rows]))


LAYOUTS: dict[str, tuple[Callable[[Path], None], str, np.ndarray]] = {
    "/data/cvat": (cvat, "Train", LABEL),
    "/data/roboflow": (roboflow, "valid", LABEL),
    "/data/labelme": (labelme, "train", LABEL),
    "/data/supervisely": (supervisely, "val", DRAWN),
    "/data/v7": (v7, "train", DRAWN),
}


def read(section: dict[str, Any], root: Path, split: str) -> tuple[list[np.ndarray], Any]:
    keys = {key: section[key] for key in section if key not in ("name", "root")}
    options = DatasetOptions(**{**keys, "classes": Path(keys["classes"])})
    index = find_pairs(section["name"], root, split, options=options)
    assert str(root / keys["classes"]) in index.made_from
    return load_labels(section["name"], root, split, **keys), index.spec


@pytest.mark.parametrize("place", LAYOUTS)
def test_layout(place: str, tmp_path: Path) -> None:
    write, split, expected = LAYOUTS[place]
    write(tmp_path)
    (label,), spec = read(BLOCKS[place], tmp_path, split)
    assert spec.classes == NAMES
    assert np.array_equal(label, expected)
    assert len(set(spec.display_colors)) == 3


def test_each_block_has_a_test() -> None:
    assert set(BLOCKS) == {*LAYOUTS, "/data/mine"}


def test_gray_files_of_cvat_hold_numbers_of_rows(tmp_path: Path) -> None:
    cvat(tmp_path)
    write_label(tmp_path / "SegmentationClass/a.png", np.where(LABEL == 255, 3, LABEL))
    (label,), _ = read(BLOCKS["/data/cvat"], tmp_path, "Train")
    assert np.array_equal(label, LABEL)


@pytest.mark.parametrize("background", ["background", "ground"])
def test_colors_of_supervisely(tmp_path: Path, background: str) -> None:
    """Any colours, gray files, and black that is a class of its own."""
    supervisely(tmp_path)
    colors = {"crop": [7, 7, 7], "weed": [250, 2, 3], "ground": [0, 0, 0]}
    if background == "background":
        del colors["ground"]
    (tmp_path / "obj_class_to_machine_color.json").write_text(json.dumps(colors))
    painted = colored(DRAWN, {0: (0, 0, 0), 1: (7, 7, 7), 2: (250, 2, 3)})
    write_label(tmp_path / "val/masks_machine/a.png", painted)
    (label,), spec = read(BLOCKS["/data/supervisely"], tmp_path, "val")
    names = np.array(spec.classes)[label]
    assert np.array_equal(names, np.array([background, "crop", "weed"])[DRAWN])
    write_label(tmp_path / "val/masks_machine/a.png", np.where(DRAWN == 1, 7, 0))
    (label,), spec = read(BLOCKS["/data/supervisely"], tmp_path, "val")
    assert np.array_equal(np.array(spec.classes)[label] == "crop", DRAWN == 1)


def test_a_class_that_is_called_background_and_is_not_black(tmp_path: Path) -> None:
    """What nobody has drawn on is then ignored."""
    supervisely(tmp_path)
    colors = {"background": [1, 1, 1], "crop": [2, 2, 2]}
    (tmp_path / "obj_class_to_machine_color.json").write_text(json.dumps(colors))
    (label,), spec = read(BLOCKS["/data/supervisely"], tmp_path, "val")
    assert spec.classes == ("background", "crop")
    assert np.array_equal(label, np.where(DRAWN == 0, 255, DRAWN - 1))


def test_values_of_roboflow_may_have_gaps(tmp_path: Path) -> None:
    roboflow(tmp_path)
    (tmp_path / "train/_classes.csv").write_text(
        "\ufeffPixel Value,Class\n255,weed\n\n0, ground\n1,crop\n"
    )
    label = np.where(LABEL == 2, 0, LABEL)
    write_label(tmp_path / "valid/a_jpg.rf.0ff_mask.png", label)
    (found,), spec = read(BLOCKS["/data/roboflow"], tmp_path, "valid")
    assert np.array_equal(np.array(spec.classes)[found] == "weed", label == 255)
    assert np.array_equal(np.array(spec.classes)[found] == "ground", label == 0)


@pytest.mark.parametrize("void", ["ignored", "Ignore", "void", "Unlabelled", "unlabeled"])
def test_what_is_called_void_is_ignored(tmp_path: Path, void: str) -> None:
    for write, split, name in (
        (cvat, "Train", "labelmap.txt"),
        (roboflow, "valid", "train/_classes.csv"),
        (supervisely, "val", "obj_class_to_machine_color.json"),
    ):
        root = tmp_path / write.__name__
        root.mkdir()
        write(root)
        text = (root / name).read_text()
        (root / name).write_text(text.replace("crop", void).replace("ignored", void))
        (label,), spec = read(BLOCKS[f"/data/{write.__name__}"], root, split)
        assert spec.classes == ("background", "a: weed")
        drawn = DRAWN if write is supervisely else LABEL
        assert np.array_equal(label, np.array([0, 255, 1])[np.where(drawn == 255, 1, drawn)])


def test_rows_of_datumaro_without_colors_have_voc_s(tmp_path: Path) -> None:
    cvat(tmp_path)
    (tmp_path / "labelmap.txt").write_text("".join(f"{name}:::\n" for name in NAMES))
    colors = {**dict(enumerate(voc_colormap())), 255: voc_colormap()[0]}
    write_label(tmp_path / "SegmentationClass/a.png", colored(LABEL, colors))
    (label,), _ = read(BLOCKS["/data/cvat"], tmp_path, "Train")
    assert np.array_equal(label, DRAWN)


def test_a_gray_value_of_no_color_of_supervisely(tmp_path: Path) -> None:
    """(250, 2, 3) is no gray: 250 stands for nothing; and 255 for a class that has it."""
    supervisely(tmp_path)
    path = tmp_path / "obj_class_to_machine_color.json"
    path.write_text(json.dumps({"crop": [255, 255, 255], "weed": [250, 2, 3]}))
    write_label(tmp_path / "val/masks_machine/a.png", np.where(DRAWN == 1, 255, 0))
    (label,), spec = read(BLOCKS["/data/supervisely"], tmp_path, "val")
    assert np.array_equal(np.array(spec.classes)[label] == "crop", DRAWN == 1)
    write_label(tmp_path / "val/masks_machine/a.png", np.where(DRAWN == 1, 250, 0))
    with pytest.raises(SampleError, match="value 250 is not in the label table"):
        read(BLOCKS["/data/supervisely"], tmp_path, "val")


def test_values_of_v7(tmp_path: Path) -> None:
    v7(tmp_path)
    (tmp_path / "class_mapping.csv").write_text(
        "class_name,class_color\nbackground,0\ncrop,127\na: weed,255\n"
    )
    write_label(tmp_path / "masks/a.png", np.array([0, 127, 255])[DRAWN])
    (label,), spec = read(BLOCKS["/data/v7"], tmp_path, "train")
    assert spec.classes == NAMES
    assert np.array_equal(label, DRAWN)


def test_a_name_with_a_comma(tmp_path: Path) -> None:
    roboflow(tmp_path)
    (tmp_path / "train/_classes.csv").write_text("Pixel Value, Class\n0,a\n1,crop,young\n2,b\n")
    _, spec = read(BLOCKS["/data/roboflow"], tmp_path, "valid")
    assert spec.classes == ("a", "crop,young", "b")


def test_camvid_as_cvat_writes_it(tmp_path: Path) -> None:
    write_image(tmp_path / "default/a.JPG", LABEL.shape)
    write_label(tmp_path / "defaultannot/a.png", colored(DRAWN, COLORS))
    rows = [f"{' '.join(map(str, COLORS[i]))} {name}" for i, name in enumerate(NAMES)]
    (tmp_path / "label_colors.txt").write_text("\n".join(["# r g b name", *rows, ""]))
    (page,) = re.findall(r'"CamVid 1.0" is `folder` with (.*?)\.\n', PAGE.read_text(), re.DOTALL)
    section = yaml.safe_load("\n".join(re.findall("`(.*?)`", page)))
    (label,), spec = read({"name": "folder", **section}, tmp_path, "default")
    assert spec.classes == NAMES
    assert np.array_equal(label, DRAWN)


@pytest.mark.parametrize("ending", ["JPG", "jpeg", "png"])
def test_pictures_of_cvat_may_have_other_endings(tmp_path: Path, ending: str) -> None:
    cvat(tmp_path)
    (tmp_path / "JPEGImages/a.jpg").unlink()
    write_image(tmp_path / f"JPEGImages/a.{ending}", LABEL.shape)
    (label,), _ = read(BLOCKS["/data/cvat"], tmp_path, "Train")
    assert np.array_equal(label, LABEL)
    write_image(tmp_path / "JPEGImages/b.bmp", LABEL.shape)
    (tmp_path / "ImageSets/Segmentation/Train.txt").write_text("a\nb\n")
    with pytest.raises(DatasetError, match=rf"b\.{ending}: no such file, .*; there is b\.bmp$"):
        read(BLOCKS["/data/cvat"], tmp_path, "Train")


def test_pictures_of_cvat_that_nobody_has_annotated(tmp_path: Path) -> None:
    cvat(tmp_path)
    write_image(tmp_path / "JPEGImages/b.jpg", LABEL.shape)
    (tmp_path / "ImageSets/Segmentation/Train.txt").write_text("a\nb\n")
    with pytest.raises(DatasetError, match=r"the label of 'b' .* can be taken out of the list$"):
        read(BLOCKS["/data/cvat"], tmp_path, "Train")


def test_lists_of_labels_are_no_splits(tmp_path: Path) -> None:
    labelme(tmp_path)
    for name in "labels.txt", "map.txt":
        (tmp_path / name).write_text("x\n")
    (label,), _ = read(BLOCKS["/data/labelme"], tmp_path, "train")
    assert np.array_equal(label, LABEL)
    (tmp_path / "labeled.txt").write_text("a\n")  # which is one
    with pytest.raises(DatasetError, match=r"train\.txt: no such file.* there are: labeled"):
        read(BLOCKS["/data/labelme"], tmp_path, "train")


def test_what_labelme_ignores_is_no_class(tmp_path: Path) -> None:
    labelme(tmp_path)
    (tmp_path / "class_names.txt").write_text("\n".join(["__ignore__", *NAMES]))
    (label,), spec = read(BLOCKS["/data/labelme"], tmp_path, "train")
    assert spec.classes == NAMES
    assert np.array_equal(label, LABEL)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("labelmap.txt", "a:1,2,3::\nb\n", "found the row 'b', expected a name and three values"),
        ("labelmap.txt", "a:1,2,3::\nb:1,2,300::\n", "found the row 'b:1,2,300::', expected a"),
        ("labelmap.txt", "a:1,2,3::\na:1,2,4::\n", "found 'a' more than once"),
        ("labelmap.txt", "ignored:1,2,3::\n", "found no classes, expected a row for each"),
        ("labelmap.txt", "a:1,2,3::\nb:1,2,3::\n", r"the colour \(1, 2, 3\) more than once"),
        ("c.csv", "Pixel Value,Class\n", "found no classes"),
        ("c.csv", ",Pixel Value,Class\n0,1,b\n", "found the header ',Pixel Value,Class'"),
        ("c.csv", "class_name,class_color\na,0,128,0\n", "expected a value from 0 to 65535"),
        ("c.csv", "Pixel Value,Class\n0,void\n", "found no classes"),
        ("c.csv", "Pixel Value,Class\n0,a\n0,b\n", "found 0 more than once"),
        ("c.csv", "Pixel Value,Class\n0,a\n1,a\n", "found 'a' more than once"),
        ("c.csv", "Pixel Value,Class\n65536,a\n", "the row '65536,a', expected a value from 0 to"),
        ("c.csv", "Pixel Value,Class\n-1,a\n", "the row '-1,a', expected a value from 0 to 65535"),
        ("c.csv", "class_name,class_color\na,0 0\n", "the row 'a,0,0', expected a name and thr"),
        ("c.csv", "class_name,class_color\na,x\n", "the row 'x,a', expected a value from 0 to 65"),
        ("m.txt", "0 0 0 a\n1 2 b\n", "found the row '1 2 b', expected a name and three values"),
        ("c.csv", "Pixel Value,Class\n1,\n", "the row '1,', expected a value from 0 to 65535 and"),
        ("c.csv", "Value,Class\n", "found the header 'Value,Class', expected name,r,g,b, or Pix"),
        ("c.json", '{"a": [1, 2, 3], "b": [1, 2, 3]}', r"the colour \(1, 2, 3\) more than once"),
        ("c.json", '{"a": [1, 2, 300]}', "not a class list"),
        ("c.json", '{"a": [1, 2]}', "not a class list"),
        ("c.json", '{"a": [true, 2, 3]}', "not a class list"),
        ("c.json", "{}", "not a class list"),
    ],
)
def test_what_is_no_class_file(tmp_path: Path, name: str, text: str, words: str) -> None:
    labelme(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(DatasetError, match=rf"{name}: .*{words}"):
        read({**BLOCKS["/data/labelme"], "classes": name}, tmp_path, "train")


@pytest.mark.parametrize("place", LAYOUTS)
def test_a_class_file_that_nobody_has_named_is_pointed_to(place: str, tmp_path: Path) -> None:
    write, split, _ = LAYOUTS[place]
    write(tmp_path)
    keys = {key: BLOCKS[place][key] for key in ("images", "masks") if key in BLOCKS[place]}
    with pytest.raises(DatasetError, match=f"; there is {BLOCKS[place]['classes']}$"):
        find_pairs(BLOCKS[place]["name"], tmp_path, split, options=DatasetOptions(**keys))


def test_dividing_a_folder(tmp_path: Path) -> None:
    [*_, code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    labelme(tmp_path)
    for i in range(11):
        Image.new("RGB", (4, 3)).save(tmp_path / f"JPEGImages/{i}.jpg")
        write_label(tmp_path / f"SegmentationClass/{i}.png", LABEL, voc_colormap())
    (tmp_path / "JPEGImages/Thumbs.db").touch()
    exec(code.replace("/data/labelme", str(tmp_path)), {})
    section = BLOCKS["/data/labelme"]
    parts = []
    for split in "train", "val":
        keys = {**section, "classes": Path(section["classes"])}
        del keys["name"], keys["root"]
        index = find_pairs("folder", tmp_path, split, options=DatasetOptions(**keys))
        parts.append({Path(index.name(i)).stem for i in range(len(index))})
    assert (len(parts[0]), len(parts[1])) == (10, 2)
    assert parts[0] | parts[1] == {"a", *map(str, range(11))}
