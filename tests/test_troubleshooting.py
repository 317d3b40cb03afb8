"""Each error that docs/troubleshooting.md quotes is the one that users see."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dali_voc import Config, DaliVocError, build_loader, load_config, parse_config
from dali_voc.ops import _plugin

PAGE = (Path(__file__).parents[1] / "docs/troubleshooting.md").read_text()
QUOTED = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)
SHOWN_ROOT = "/data/VOCdevkit/VOC2012"
PICTURE = "JPEGImages/made_000014.jpg"  # of val
LABEL = "SegmentationClass/made_000014.png"

Cause = Callable[[Path], None]


def config_of(root: Path, **sections: dict[str, Any]) -> Config:
    loader = {"batch_size": 4, "device": "cpu", "threads": 2, **sections.pop("loader", {})}
    return parse_config({"dataset": {"root": str(root)}, **sections, "loader": loader})


def read_val(root: Path, **sections: dict[str, Any]) -> None:
    with build_loader(config_of(root, **sections), split="val") as loader:
        for _ in loader:
            pass


def wrong_root(root: Path) -> None:
    read_val(root.parent)


def wrong_split(root: Path) -> None:
    build_loader(config_of(root), split="vall")


def wrong_key(root: Path) -> None:
    file = root.parents[1] / "train.yaml"
    file.write_text(f"dataset: {{root: {root}}}\nloader: {{bach_size: 8}}\n")
    load_config(file)


def no_full_batch(root: Path) -> None:
    build_loader(config_of(root, loader={"batch_size": 64, "last_batch": "drop"}))


def cut_off(root: Path) -> None:
    path = root / PICTURE
    path.write_bytes(path.read_bytes()[:5000])
    read_val(root)


def other_size(root: Path) -> None:
    path = root / LABEL
    Image.open(path).crop((0, 0, 99, 77)).save(path)
    read_val(root)


def unknown_colour(root: Path) -> None:
    path = root / LABEL
    Image.new("RGB", Image.open(path).size, (1, 2, 3)).save(path)
    read_val(root)


def unknown_value(root: Path) -> None:
    path = root / LABEL
    Image.new("L", Image.open(path).size, 21).save(path)
    read_val(root)


def jpeg_label(root: Path) -> None:
    shutil.copy(root / PICTURE, root / LABEL)
    read_val(root)


def unexplained_palette(root: Path) -> None:
    """Classes in an order of their own, and a palette of a program's own."""
    path = root / LABEL
    label = Image.new("P", Image.open(path).size, 1)
    label.putpalette([128, 0, 0, 0, 0, 0])
    label.save(path)
    dataset = {"name": "voc_layout", "root": str(root), "classes": [f"c{k}" for k in range(21)]}
    read_val(root, dataset=dataset)


def second_for(root: Path) -> None:
    with build_loader(config_of(root), split="val") as loader:
        first = iter(loader)
        next(first)
        next(iter(loader))
        next(first)


def other_run(root: Path) -> None:
    with build_loader(config_of(root)) as loader:
        state = loader.state_dict()
    with build_loader(config_of(root, loader={"seed": 1})) as loader:
        loader.load_state_dict(state)


def other_dali(root: Path) -> None:
    folder = root.parents[1] / "venv/dali_voc/ops"
    folder.mkdir(parents=True)
    (folder / "built_for_dali.txt").write_text("2.3.0\n")
    _plugin._check_version(folder)


CAUSES: list[Cause] = [
    *(wrong_root, wrong_split, wrong_key, no_full_batch, cut_off, other_size, unknown_colour),
    *(unknown_value, unexplained_palette, jpeg_label, second_for, other_run, other_dali),
]


@pytest.mark.parametrize("cause", CAUSES)
def test_the_page_quotes_what_users_see(cause: Cause, voc: Path, tmp_path: Path) -> None:
    root = shutil.copytree(voc, tmp_path / "VOCdevkit/VOC2012")
    with pytest.raises(DaliVocError) as error:
        cause(root)
    assert str(error.value).replace(str(tmp_path), "/data") in QUOTED


def test_nothing_else_is_quoted() -> None:
    assert len(QUOTED) == len(set(QUOTED)) == len(CAUSES)
