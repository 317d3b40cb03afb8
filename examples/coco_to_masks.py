"""Paints the polygons and run lengths of a COCO JSON into one label per picture.

pip install pycocotools
python examples/coco_to_masks.py instances_train.json masks/train

CVAT, Roboflow, Label Studio, labelme and others export such files. `masks/train` then has a gray
PNG for each picture of the JSON, and `classes.txt`: "background", and behind it the categories in
the order of the JSON. Where objects overlap, the smaller is on top. Crowds are ignored: 255, or
65535 in files of 16 bits, which there are of more than 254 categories.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pycocotools.coco import COCO


def paint(
    coco: COCO,
    image: dict[str, Any],
    annotations: list[dict[str, Any]],
    *,
    values: dict[int, int],
    crowd: int,
) -> npt.NDArray[np.integer[Any]]:
    """Return the label of a picture, uint8 or uint16 [height, width].

    Args:
        coco: the JSON.
        image: its entry.
        annotations: what is in it.
        values: category -> its value in labels.
        crowd: value of crowds, 255 or 65535.
    """
    label = np.zeros((image["height"], image["width"]), np.uint8 if crowd == 255 else np.uint16)
    masks = [(coco.annToMask(found).astype(bool), found) for found in annotations]
    for mask, found in sorted(masks, key=lambda pair: -int(pair[0].sum())):
        label[mask] = crowd if found.get("iscrowd") else values[found["category_id"]]
    return label


def main(arguments: list[str] | None = None) -> None:
    """Read the options, and write the labels."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("annotations", type=Path, help="the JSON")
    parser.add_argument("out", type=Path, help="folder of the labels")
    options = parser.parse_args(arguments)
    coco = COCO(options.annotations)
    categories = coco.dataset["categories"]
    crowd = 255 if len(categories) < 255 else 65535
    values = {category["id"]: i for i, category in enumerate(categories, start=1)}
    if len(values) < len(categories):
        sys.exit(f"{options.annotations}: two categories have one id")
    of_image = defaultdict(list)
    for annotation in coco.dataset["annotations"]:
        if annotation.get("segmentation"):  # else a box alone
            of_image[annotation["image_id"]].append(annotation)
    options.out.mkdir(parents=True, exist_ok=True)
    for image in coco.dataset["images"]:
        name = Path(image["file_name"])
        if name.is_absolute() or ".." in name.parts:  # as Label Studio may write it
            name = Path(name.name)
        path = (options.out / name).with_suffix(".png")
        path.parent.mkdir(parents=True, exist_ok=True)
        label = paint(coco, image, of_image[image["id"]], values=values, crowd=crowd)
        Image.fromarray(label).save(path)
    names = ["background", *(category["name"] for category in categories)]
    (options.out / "classes.txt").write_text("".join(f"{name}\n" for name in names))
    print(f"{len(coco.dataset['images'])} labels: {options.out}")


if __name__ == "__main__":
    main()
