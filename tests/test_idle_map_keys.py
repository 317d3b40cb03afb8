"""Keys of `dataset.map` that are of another kind than the files' pixels are told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dali_voc import Config, build_loader
from dali_voc.packing import pack_split

MakeConfig = Callable[..., Config]
NAMES = ["a", "b"]
BY_VALUE, BY_COLOR = {0: "a", 1: "b"}, {"0, 0, 0": "a", "128, 0, 0": "b"}
OF_VOC = {"classes": ["thing", "rest"]}


def folder(root: Path, *kinds: str) -> dict[str, Any]:
    for i in range(8):
        labels = Image.fromarray(np.eye(8, dtype=np.uint8))
        if kinds[i % len(kinds)] != "gray":
            labels.putpalette([0, 0, 0, 128, 0, 0])
        if kinds[i % len(kinds)] == "rgb":
            labels = labels.convert("RGB")
        for part in "x", "y":
            (root / part).mkdir(parents=True, exist_ok=True)
            labels.save(root / part / f"{i}.png")
    return {"name": "folder", "root": str(root), "images": "x/*.png", "masks": "y/*.png"}


@pytest.mark.parametrize(
    ("kinds", "mapping", "palette", "told"),
    [
        ("gray", BY_VALUE, "auto", False),
        ("gray", BY_COLOR, "auto", True),
        ("rgb", BY_COLOR, "auto", False),
        ("rgb", BY_VALUE, "auto", True),
        ("palette", BY_COLOR, "auto", False),
        ("palette", BY_COLOR, "index", True),
        # no colours are known then
        ("palette", BY_VALUE, "auto", False),
        ("gray rgb", BY_VALUE, "auto", False),
        ("gray rgb", BY_COLOR, "auto", False),
        ("gray", {**BY_VALUE, **BY_COLOR}, "auto", False),
        ("rgb", None, "auto", False),
    ],
)
def test_folders(
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    *,
    kinds: str,
    mapping: dict[Any, str] | None,
    palette: str,
    told: bool,
) -> None:
    dataset = {**folder(tmp_path, *kinds.split()), "classes": NAMES, "map": mapping}
    build_loader(make_config(dataset=dataset, labels={"palette": palette})).close()
    what = "a value" if mapping is BY_VALUE else "a colour"
    assert [what in record.message for record in caplog.records] == [True] * told
    assert (", or labels.palette: color" in caplog.text) == (told and kinds == "palette")


@pytest.mark.parametrize(
    ("key", "palette", "said"),
    [
        (1, "auto", "colours: nothing comes of it; expected colours or names of classes, or lab"),
        (1, "index", None),
        ("128, 0, 0", "auto", None),
        ("128, 0, 0", "index", "expected values or names of classes, or labels.palette: color"),
        ("aeroplane", "auto", None),
    ],
)
def test_palettes_of_voc(
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
    key: int | str,
    palette: str,
    said: str | None,
) -> None:
    """That nothing comes of them is compared with a map without them."""

    def batch(mapping: dict[Any, str]) -> bytes:
        caplog.clear()
        dataset = {**OF_VOC, "map": {"*": "rest", **mapping}}
        config = make_config(
            dataset=dataset, labels={"palette": palette}, loader={"batch_size": 14}
        )
        with build_loader(config) as loader:
            return next(iter(loader))[1].numpy().tobytes()

    without = batch({})
    assert not caplog.records
    assert (batch({key: "thing"}) == without) == (said is not None)
    assert [said in record.message for record in caplog.records if said] == [True] * bool(said)
    assert bool(caplog.records) == bool(said)


@pytest.mark.parametrize(("key", "told"), [(1, True), (7, False)])
def test_numbers_that_a_palette_has_no_color_for_are_values(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, tmp_path: Path, key: int, told: bool
) -> None:
    dataset = folder(tmp_path, "palette")
    (tmp_path / "c.csv").write_text("name,r,g,b\na,0,0,0\nb,128,0,0\n")
    dataset |= {"classes": "c.csv", "map": {key: "b"}}
    build_loader(make_config(dataset=dataset)).close()
    assert ["is a value" in record.message for record in caplog.records] == [True] * told


def test_packed_labels_are_values(
    voc: Path, make_config: MakeConfig, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    pack_split(make_config(voc), tmp_path / "packed")
    dataset = {"name": "packed", **OF_VOC, "map": {1: "thing", "*": "rest"}}
    build_loader(make_config(tmp_path / "packed", dataset=dataset)).close()
    assert not caplog.records
