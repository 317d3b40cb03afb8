"""Paints the polygons and run lengths of a COCO JSON into one label per picture.

pip install pycocotools
python examples/coco_to_masks.py instances_train.json masks/train

CVAT, Roboflow, Label Studio, labelme and others export such files. `masks/train` then has a gray
PNG for each picture of the JSON, and `classes.txt`: "background", and behind it the categories in
the order of the JSON. Another JSON of the same data may have another order: `--classes
masks/train/classes.txt` numbers it by the same names. Where objects overlap, the smaller is on top.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pycocotools import mask as masks

BACKGROUND = "background"


def encode(found: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    """Return the pixels of an annotation as compressed run lengths."""
    parts = found["segmentation"]
    if isinstance(parts, list):  # polygons; what has two points is a line
        parts = [part for part in parts if len(part) >= 6] or [[0] * 6]
    elif isinstance(parts["counts"], list):
        parts = [parts]
    else:
        parts = [{**parts, "counts": parts["counts"].encode()}]
    ready = isinstance(parts[0], dict) and isinstance(parts[0]["counts"], bytes)
    encoded = masks.merge(parts if ready else masks.frPyObjects(parts, height, width))
    if list(encoded["size"]) != [height, width]:
        raise ValueError(f"run lengths of {encoded['size']}, expected {[height, width]}")
    return dict(encoded)


def paint(
    image: dict[str, Any],
    found: list[dict[str, Any]],
    *,
    values: dict[int, int],
    void: int,
    ignore_crowds: bool,
) -> npt.NDArray[np.integer[Any]]:
    """Return the label of a picture, uint8 or uint16 [height, width].

    Args:
        image: its entry.
        found: the annotations in it.
        values: category -> its value in labels.
        void: what is ignored, 255 or 65535.
        ignore_crowds: whether crowds are.
    """
    height, width = image["height"], image["width"]
    label = np.zeros((height, width), np.uint8 if void == 255 else np.uint16)
    pairs = []
    for one in found:
        is_void = ignore_crowds and one.get("iscrowd")
        value = void if is_void else values[one["category_id"]]
        pairs.append((encode(one, height, width), value))
    for encoded, value in sorted(pairs, key=lambda pair: -int(masks.area(pair[0]))):
        label[masks.decode(encoded).astype(bool)] = value
    return label


def name_of(file_name: str) -> Path:
    """Return the path of a label below its folder; names may be addresses, or of Windows."""
    path = Path(file_name.replace("\\", "/"))
    if "://" in file_name or path.is_absolute() or ".." in path.parts:
        path = Path(path.name)
    return path.with_suffix(".png")


def number(
    tree: dict[str, Any], annotations: list[dict[str, Any]], listed: Path | None
) -> tuple[dict[int, int], list[str]]:
    """Return each category's value in labels, and the classes; exits where two are alike."""
    used = {found["category_id"] for found in annotations}
    categories = tree["categories"]
    groups = {one.get("supercategory") for one in categories[1:]}
    # Roboflow's first category is the name of the group, and nothing is of it
    for first in categories[:1]:
        is_group = first["id"] not in used and first.get("supercategory") == "none"
        if is_group and first["name"] in groups:
            categories = categories[1:]
    if listed:
        names = listed.read_text(encoding="utf-8").split("\n")
        names = [name.strip() for name in names if name.strip()]
    else:
        names = [one["name"] for one in categories if one["name"] != BACKGROUND]
        names = [BACKGROUND, *names]
    if names[:1] != [BACKGROUND]:
        sys.exit(f"{listed}: expected '{BACKGROUND}' on its first line")
    twice = [name for name, times in Counter(names).items() if times > 1]
    missing = {one["name"] for one in categories} - set(names)
    if twice or missing or len({one["id"] for one in categories}) < len(categories):
        sys.exit(f"categories: expected other names and ids: {twice or sorted(missing) or 'ids'}")
    return {one["id"]: names.index(one["name"]) for one in categories}, names


def main(arguments: list[str] | None = None) -> None:
    """Read the options, and write the labels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("annotations", type=Path, help="the JSON")
    parser.add_argument("out", type=Path, help="folder of the labels")
    parser.add_argument("--classes", type=Path, help="classes.txt of another JSON of the data")
    parser.add_argument("--ignore-crowds", action="store_true", help="as COCO's own JSON means it")
    options = parser.parse_args(arguments)
    try:
        tree = json.loads(options.annotations.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        sys.exit(f"{options.annotations}: cannot be read as JSON: {e}")
    if not isinstance(tree, dict) or not {"images", "annotations", "categories"} <= set(tree):
        sys.exit(f"{options.annotations}: no 'images', 'annotations', 'categories': not COCO")
    painted = [found for found in tree["annotations"] if found.get("segmentation")]
    values, names = number(tree, painted, options.classes)
    listing = "".join(f"{name}\n" for name in names)
    for other in sorted(options.out.parent.glob("*/classes.txt")):
        if other.read_text(encoding="utf-8", errors="replace") != listing:
            sys.exit(f"{other}: other classes than of this JSON; --classes {other} keeps them")
    void = 255 if len(names) < 256 else 65535
    of_image = defaultdict(list)
    for found in painted:
        of_image[found["image_id"]].append(found)
    lost = set(of_image) - {image["id"] for image in tree["images"]}
    if lost:
        sys.exit(
            f"{options.annotations}: annotations of pictures that are not there: {min(lost)!r}"
        )
    kinds = {"values": values, "void": void, "ignore_crowds": options.ignore_crowds}
    written: set[Path] = set()
    for image in tree["images"]:
        path = options.out / name_of(image["file_name"])
        if path in written:
            sys.exit(f"{options.annotations}: {image['file_name']}: there already is a {path}")
        written.add(path)
        try:
            label = paint(image, of_image[image["id"]], **kinds)
        except (KeyError, TypeError, ValueError) as e:
            sys.exit(f"{options.annotations}: {image['file_name']}: {type(e).__name__}: {e}")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(label).save(path)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "classes.txt").write_text(listing, encoding="utf-8")
    boxes = len(tree["annotations"]) - len(painted)
    empty = sum(not of_image[image["id"]] for image in tree["images"])
    crowds = sum(bool(found.get("iscrowd")) for found in painted)
    what = "ignored" if options.ignore_crowds else "painted as their class"
    print(f"{boxes} annotations without polygons; {crowds} crowds, {what}")
    print(f"{len(written)} labels, {empty} of them background alone: {options.out}")


if __name__ == "__main__":
    main()
