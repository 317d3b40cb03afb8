"""coco_to_masks.py: polygons and run lengths of a JSON become labels that the loader reads."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
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


def paint(
    path: Path, tree: dict[str, Any], out: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    path.write_text(json.dumps(tree))
    return subprocess.run(
        [*warm_python(), SCRIPT, path, out, *options],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("ignore", [False, True])
def test_labels(tmp_path: Path, tree: dict[str, Any], ignore: bool) -> None:
    out = tmp_path / "masks/train"
    done = paint(tmp_path / "i.json", tree, out, *["--ignore-crowds"] * ignore)
    assert done.returncode == 0, done.stderr
    what = "ignored" if ignore else "painted as their class"
    assert done.stdout.splitlines() == [
        f"1 annotations without polygons; 1 crowds, {what}",
        f"2 labels, 1 of them background alone: {out}",
    ]
    expected = np.zeros(SIZE, int)
    expected[2:12, 3:18] = 1
    expected[4:8, 5:9] = 2
    expected[15:18, 20:25] = 255 if ignore else 1
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


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("../../media/upload/1/b.jpg", "b.png"),
        ("/upload/b.jpg", "b.png"),
        ("http://localhost:8080/data?d=img/b.jpg", "b.png"),
        ("images\\b.jpg", "images/b.png"),
        ("farm/a.b.jpg", "farm/a.b.png"),
    ],
)
def test_no_label_leaves_the_folder(
    tmp_path: Path, tree: dict[str, Any], name: str, label: str
) -> None:
    tree["images"][1]["file_name"] = name
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks").returncode == 0
    found = {str(p.relative_to(tmp_path / "masks")) for p in (tmp_path / "masks").rglob("*.png")}
    assert found == {"farm/a.png", label}


def test_another_json_has_the_same_numbers(tmp_path: Path, tree: dict[str, Any]) -> None:
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks/train").returncode == 0
    tree["categories"].reverse()
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks/val")
    listed = str(tmp_path / "masks/train/classes.txt")
    assert (done.returncode, done.stderr.split(":")[0]) == (1, listed)
    assert not (tmp_path / "masks/val").exists()
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks/val", "--classes", listed)
    assert done.returncode == 0, done.stderr
    for name in "farm/a.png", "classes.txt":
        one, other = (tmp_path / f"masks/{split}/{name}" for split in ("train", "val"))
        assert one.read_bytes() == other.read_bytes()
    tree["categories"][0]["name"] = "thistle"
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks/val", "--classes", listed)
    assert done.stderr == "categories: expected other names and ids: ['thistle']\n"


def test_the_group_of_roboflow_is_no_class(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree["categories"].insert(0, {"id": 9, "name": "crop", "supercategory": "none"})
    tree["categories"].append({"id": 10, "name": "background", "supercategory": "crop"})
    tree["annotations"].append(annotation(3, 10, rectangle(0, 0, 5, 5)))
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks").returncode == 0
    assert (tmp_path / "masks/classes.txt").read_text().split() == ["background", "crop", "weed"]
    assert not np.array(Image.open(tmp_path / "masks/b.png")).any()


@pytest.mark.parametrize("compressed", [False, True])
def test_run_lengths(tmp_path: Path, tree: dict[str, Any], compressed: bool) -> None:
    from pycocotools import mask as masks

    pixels = np.random.default_rng(0).integers(0, 2, SIZE).astype(np.uint8)
    found = masks.encode(np.asfortranarray(pixels))
    found = {"size": [*SIZE], "counts": found["counts"].decode()} if compressed else runs(pixels)
    tree["annotations"].append(annotation(3, 0, found))
    assert paint(tmp_path / "i.json", tree, tmp_path / "masks").returncode == 0
    assert np.array_equal(np.array(Image.open(tmp_path / "masks/b.png")), 2 * pixels)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tree: tree.pop("categories"), "no 'images', 'annotations', 'categories': not COCO"),
        (lambda tree: tree["images"][0].pop("width"), "farm/a.jpg: KeyError: 'width'"),
        (lambda tree: tree["annotations"][0].update(category_id=77), "farm/a.jpg: KeyError: 77"),
        (lambda tree: tree["images"][1].update(file_name="farm/a.png"), "there already is a "),
        (
            lambda tree: tree["categories"].append({"id": 4, "name": "x"}),
            "other names and ids: ids",
        ),
        (lambda tree: tree["categories"].append({"id": 5, "name": "crop"}), "and ids: ['crop']"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    tmp_path: Path, tree: dict[str, Any], change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    change(tree)
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "masks/classes.txt").exists()


def test_many_categories(tmp_path: Path, tree: dict[str, Any]) -> None:
    tree["categories"] += [{"id": k, "name": f"c{k}"} for k in range(5, 300)]
    tree["annotations"].append(annotation(3, 299, rectangle(0, 0, 5, 5)))
    done = paint(tmp_path / "i.json", tree, tmp_path / "masks", "--ignore-crowds")
    assert done.returncode == 0, done.stderr
    found = np.array(Image.open(tmp_path / "masks/b.png"))
    assert found[:5, :5].tolist() == [[297] * 5] * 5
    assert np.array(Image.open(tmp_path / "masks/farm/a.png"))[15, 20] == 65535
