"""coco_to_masks.py: polygons and run lengths of a JSON become labels that the loader reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from warm_python import warm_python
from whole_labels import load_labels, write_image

pytest.importorskip("pycocotools")

SCRIPT = Path(__file__).parents[1] / "examples/coco_to_masks.py"
SIZE = (20, 30)


def rectangle(top: int, left: int, bottom: int, right: int) -> list[list[int]]:
    return [[left, top, right, top, right, bottom, left, bottom]]


def runs(mask: np.ndarray) -> dict[str, Any]:
    """Lengths of runs down the columns, zeros first."""
    flat, counts, value = mask.T.ravel().tolist(), [0], 0
    for pixel in flat:
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def annotation(image: int, category: int, segmentation: Any, **more: Any) -> dict[str, Any]:
    found = {"image_id": image, "category_id": category, "segmentation": segmentation, **more}
    return {"id": len(json.dumps(found)), "bbox": [0, 0, 1, 1], **found}


@pytest.fixture
def tree() -> dict[str, Any]:
    crowd = np.zeros(SIZE, int)
    crowd[15:18, 20:25] = 1
    return {
        "images": [
            {"id": 7, "file_name": "farm/a.jpg", "height": SIZE[0], "width": SIZE[1]},
            {"id": 3, "file_name": "b.jpg", "height": SIZE[0], "width": SIZE[1]},
        ],
        # as Label Studio numbers them, and not in order
        "categories": [{"id": 4, "name": "crop"}, {"id": 0, "name": "weed"}],
        "annotations": [
            annotation(7, 0, rectangle(4, 5, 8, 9)),  # the smaller, on top of the next
            annotation(7, 4, rectangle(2, 3, 12, 18)),
            annotation(7, 4, runs(crowd), iscrowd=1),
            annotation(7, 4, []),  # a box
        ],
    }


def paint(path: Path, tree: dict[str, Any], out: Path) -> subprocess.CompletedProcess[str]:
    path.write_text(json.dumps(tree))
    return subprocess.run(
        [*warm_python(), SCRIPT, path, out],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_labels(tmp_path: Path, tree: dict[str, Any]) -> None:
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks/train")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"2 labels: {tmp_path / 'masks/train'}"
    expected = np.zeros(SIZE, int)
    expected[2:12, 3:18] = 1
    expected[4:8, 5:9] = 2
    expected[15:18, 20:25] = 255
    found = np.array(Image.open(tmp_path / "masks/train/farm/a.png"))
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
    assert not np.array(Image.open(tmp_path / "masks/train/b.png")).any()
    for name in "farm/a", "b":
        write_image(tmp_path / f"images/train/{name}.jpg", SIZE)
    labels = load_labels(
        "folder",
        tmp_path,
        "train",
        images="images/{split}/**/*.jpg",
        masks="masks/{split}/**/*.png",
        classes="masks/train/classes.txt",
    )
    assert np.array_equal(labels[1], expected)
    names = (tmp_path / "masks/train/classes.txt").read_text().split()
    assert names == ["background", "crop", "weed"]


@pytest.mark.parametrize("folder", ["../../media/upload/1", "/upload"])
def test_no_label_leaves_the_folder(tmp_path: Path, tree: dict[str, Any], folder: str) -> None:
    tree["images"][1]["file_name"] = f"{folder}/b.jpg"
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks").returncode == 0
    assert (tmp_path / "masks/b.png").is_file()


def test_many_categories(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree["categories"] += [{"id": k, "name": f"c{k}"} for k in range(5, 300)]
    tree["annotations"].append(annotation(3, 299, rectangle(0, 0, 5, 5)))
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks").returncode == 0
    found = np.array(Image.open(tmp_path / "masks/b.png"))
    assert found[:5, :5].tolist() == [[297] * 5] * 5
    assert np.array(Image.open(tmp_path / "masks/farm/a.png"))[15, 20] == 65535


def test_two_categories_of_one_id(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree["categories"].append({"id": 4, "name": "other"})
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks")
    assert done.returncode == 1
    assert done.stderr.endswith("i.json: two categories have one id\n")
