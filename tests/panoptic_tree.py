"""Made-up data in COCO's panoptic format, and a plain reading of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from whole_labels import read_label, write_image, write_label

# numbers as COCO's, with gaps and in no order
CATEGORIES = [
    {"id": 7, "name": "train", "isthing": 1, "color": [0, 80, 100], "supercategory": "vehicle"},
    {"id": 1, "name": "person", "isthing": 1, "color": [220, 20, 60], "supercategory": "person"},
    {"id": 200, "name": "rug-merged", "isthing": 0, "color": [250, 141, 255]},
    {"id": 92, "name": "banner", "isthing": 0, "color": [255, 255, 128], "supercategory": "t"},
]
NUMBERS = [7, 1, 200, 92]


def write_panoptic(
    root: Path,
    *,
    split: str = "val2017",
    names: tuple[str, ...] = ("b", "a", "c"),
    seed: int = 0,
    count: int | None = None,
) -> Path:
    """Write a split of 40x50 pictures of random segments, some of them crowds; return its JSON.

    Each has `count` segments, or a random number.
    """
    rng = np.random.default_rng(seed)
    entries = []
    for name in names:
        number_of = count or int(rng.integers(1, 9))
        # the same ids in all files would hide that each file has its own
        ids = rng.choice(np.arange(1, 1 << 24), number_of, replace=False)
        pixels = np.append(ids, 0)[rng.integers(0, number_of + 1, (40, 50))]
        packed = np.stack([pixels & 255, pixels >> 8 & 255, pixels >> 16], axis=-1)
        write_image(root / f"{split}/{name}.jpg", (40, 50))
        write_label(root / f"annotations/panoptic_{split}/{name}.png", packed)
        segments = [
            {
                "id": int(number),
                "category_id": int(rng.choice(NUMBERS)),
                "iscrowd": int(rng.random() < 0.3),
                "area": 1,
                "bbox": [0, 0, 1.5, 1],
            }
            for number in ids
        ]
        entries.append({"file_name": f"{name}.png", "image_id": 1, "segments_info": segments})
    path = root / f"annotations/panoptic_{split}.json"
    path.write_text(json.dumps({"annotations": entries, "categories": CATEGORIES, "info": {}}))
    return path


def plain_labels(path: Path, *, crowd: bool = True) -> list[npt.NDArray[np.int64]]:
    """Return class indices of every entry of a JSON, segment by segment."""
    values: dict[str, Any] = json.loads(path.read_text())
    numbers = [category["id"] for category in values["categories"]]
    found = []
    for entry in values["annotations"]:
        red, green, blue = np.moveaxis(
            read_label(path.with_suffix("") / entry["file_name"]).astype(np.int64), -1, 0
        )
        ids = red + 256 * green + 65536 * blue
        classes = np.full(ids.shape, 255)
        for segment in entry["segments_info"]:
            if crowd or not segment["iscrowd"]:
                classes[ids == segment["id"]] = numbers.index(segment["category_id"])
        found.append(classes)
    return found
