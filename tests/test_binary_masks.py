"""Masks of 0 and 255 of which nobody has said what 255 means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from whole_labels import write_image

from dali_voc import build_loader, parse_config

ZERO_AND_255 = np.array([[0, 255], [255, 0]], np.uint8)


def build(root: Path, masks: list[np.ndarray], **dataset: Any) -> None:
    for i, mask in enumerate(masks):
        write_image(root / f"i/{i}.png", (2, 2))
        (root / "m").mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / f"m/{i}.png")
    keys = {"images": "i/*.png", "masks": "m/*.png", "classes": ["ground", "plant"], **dataset}
    tree = {
        "dataset": {"name": "folder", "root": str(root), **keys},
        "augment": {"crop_size": [2, 2]},
        "loader": {"device": "cpu"},
    }
    with build_loader(parse_config(tree)) as loader:
        next(iter(loader))


def test_they_are_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    build(tmp_path, [np.zeros((2, 2), np.uint8), ZERO_AND_255])
    assert "nothing of class 'plant' would be seen" in caplog.text
    assert "dataset.map: {0: ground, 255: plant} makes it a class" in caplog.text


@pytest.mark.parametrize(
    ("masks", "dataset"),
    [
        ([ZERO_AND_255, np.array([[0, 1], [255, 1]], np.uint8)], {}),
        ([np.zeros((2, 2), np.uint8)], {}),
        ([ZERO_AND_255], {"map": {0: "ground", 255: "plant"}}),
        ([ZERO_AND_255], {"map": {0: "ground", 255: None}}),
        ([ZERO_AND_255], {"classes": ["a", "b", "c"]}),
        ([ZERO_AND_255 == 255], {}),  # of one bit: 0 and 1
        ([ZERO_AND_255], {"unlabeled": True}),
    ],
)
def test_others_are_not(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    masks: list[np.ndarray],
    dataset: dict[str, Any],
) -> None:
    build(tmp_path, masks, **dataset)
    assert not caplog.text
