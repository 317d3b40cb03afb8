"""What functions that read a split say of arguments of other types."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dali_voc import Config, build_loader, count_classes
from dali_voc.indexing import write_index
from dali_voc.packing import pack_split
from dali_voc.verifying import verify_split

MakeConfig = Callable[..., Config]
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "build_loader": build_loader,
    "count_classes": count_classes,
    "verify_split": verify_split,
    "write_index": functools.partial(write_index, path="made/index.npz"),
    "pack_split": functools.partial(pack_split, out="made"),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_they_are_refused_at_once(
    function: Callable[..., Any], make_config: MakeConfig, here: Path
) -> None:
    for given in "x.yaml", {"dataset": {"root": "x"}}, None:
        with pytest.raises(TypeError, match="expected a Config, from load_config or parse_config"):
            function(given)
    for split in None, ["train"]:
        with pytest.raises(TypeError, match=r"split: found .*, expected the name of one"):
            function(make_config(), split=split)
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("as_type", [str, Path])
def test_places_may_be_text_or_paths(
    make_config: MakeConfig, here: Path, as_type: Callable[[str], Any]
) -> None:
    index = pack_split(make_config(), as_type("packs"), split="val")
    assert (here / "packs/val").is_dir()
    assert not index.left_out
    write_index(make_config(), as_type("index.npz"), split="val")
    assert (here / "index.npz").is_file()
