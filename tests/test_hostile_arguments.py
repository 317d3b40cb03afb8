"""Arguments that no file and no configuration leads to: errors, and neither crashes nor hangs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from nvidia.dali import fn
from nvidia.dali.pipeline import Pipeline
from PIL import Image

from dali_voc.ops import _plugin

NAN, INF = float("nan"), float("inf")
PICTURE = np.full((10, 20, 3), 7, np.uint8)
CROP: dict[str, Any] = {"crop_size": [8, 8], "mean": [0.0] * 3, "std": [1.0] * 3}
WINDOW: dict[str, Any] = {"roi_start": [0.0, 0.0], "roi_end": [10.0, 20.0], "size": [8.0, 8.0]}


@pytest.fixture(autouse=True)
def plugin() -> None:
    _plugin.load_plugin()


def run(build: Callable[[Any], Any], value: np.ndarray) -> np.ndarray:
    pipeline = Pipeline(batch_size=1, num_threads=2, device_id=None)
    with pipeline:
        node = fn.external_source(source=lambda: [value], batch=True)
        pipeline.set_outputs(build(node))
    (output,) = pipeline.run()
    return np.array(output[0])


@pytest.mark.parametrize(
    "window",
    [
        {"roi_start": [NAN, 0.0]},
        {"roi_end": [INF, 20.0]},
        {"roi_end": [2 * 2.0**62, 2 * 2.0**62], "size": [2.0, 2.0]},
        {"roi_start": [1e9, -1e9], "roi_end": [-1e9, -1e30]},
        {"size": [NAN, 8.0]},
        {"size": [8.0, -INF]},
    ],
    ids=str,
)
def test_windows_of_no_size(window: dict[str, Any]) -> None:
    def crop(node: Any) -> Any:
        return fn.dali_voc.normalize_crop(node, **CROP, **{**WINDOW, **window})

    with pytest.raises(RuntimeError, match=r"normalize_crop: sample 0 has a place or a size"):
        run(crop, PICTURE)


@pytest.mark.parametrize(
    "rotation", [[2147483520.0, 0.0], [NAN, INF], [NAN, NAN], [2.0, 0.0], [0.0, 0.0], [30.0, 30.0]]
)
def test_turns_by_no_angle(rotation: list[float]) -> None:
    """One number per sample, such as an angle, comes as two that are alike."""

    def crop(node: Any) -> Any:
        return fn.dali_voc.normalize_crop(
            node, **{**CROP, "crop_size": [10, 20]}, rotation=rotation
        )

    words = "normalize_crop: rotation of sample 0 is .*, expected cosine and sine of an angle"
    with pytest.raises(RuntimeError, match=words):
        run(crop, PICTURE)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"std": [1.0, 0.0, 1.0]}, "std of numbers above 0"),
        ({"std": [1.0, NAN, 1.0]}, "std of numbers above 0"),
        ({"mean": [INF, 0.0, 1.0]}, "mean of finite numbers"),
    ],
)
def test_colors_that_make_no_number(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(RuntimeError, match=words):
        run(lambda node: fn.dali_voc.normalize_crop(node, **{**CROP, **wrong}), PICTURE)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ({}, "longer than their counts"),
        ({"color_counts": [0], "value_counts": [1]}, "longer than their counts"),
        ({"color_counts": [0], "value_counts": [3]}, "shorter than their counts"),
        ({"color_counts": [0, 0], "value_counts": [2]}, "do not fit each other"),
    ],
)
def test_tables_and_their_counts(tmp_path: Path, counts: dict[str, list[int]], words: str) -> None:
    """The schema takes any; our own wrapper gives those that fit."""
    Image.new("L", (4, 3), 1).save(tmp_path / "a.png")
    data = np.frombuffer((tmp_path / "a.png").read_bytes(), np.uint8)
    path = np.frombuffer(b"a.png", np.uint8)

    def decode(node: Any) -> Any:
        made = fn.dali_voc.decode_label(
            node, path, crop_size=[3, 4], values=[0, 1], value_classes=[0, 1], **counts
        )
        return made[0]

    with pytest.raises(RuntimeError, match=words):
        run(decode, data)
