"""`dataset.classes` and `dataset.map`: other classes than the data set's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dali_voc import Config, build_loader, parse_config
from dali_voc.datasets import Dataset, DatasetOptions, PairIndex, find_pairs
from dali_voc.datasets._distinct_colors import distinct_colors
from dali_voc.datasets._remap import remap
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.datasets.voc import find_pairs as find_voc
from dali_voc.errors import ConfigError, DatasetError
from dali_voc.labels import LabelSpec

MakeConfig = Callable[..., Config]
MAP = {
    "car": "vehicle",
    "bus": "vehicle",
    20: None,  # tv/monitor, by value
    "#800000": "sky",  # aeroplane, by colour
    "*": "thing",
}
CLASSES = ["background", "person", "vehicle", "sky", "thing"]


def labels_of(config: Config) -> torch.Tensor:
    with build_loader(config, split="val") as loader:
        return torch.cat([labels for _, labels in loader])


def test_labels_follow_the_map(voc: Path, make_config: MakeConfig) -> None:
    keys: dict[str, Any] = {"root": voc, "augment": {"crop_size": [96, 128]}}
    plain = labels_of(make_config(**keys))
    mapped = labels_of(make_config(dataset={"classes": CLASSES, "map": MAP}, **keys))
    lut = np.full(256, 4)  # thing
    lut[[0, 15]], lut[[6, 7]], lut[1] = (0, 1), 2, 3
    lut[255] = 255
    # palette files are read by colour, so that the entry for a value says nothing of them
    assert torch.equal(mapped, torch.from_numpy(lut)[plain])
    by_index = {**keys, "labels": {"palette": "index"}}
    mapped = labels_of(make_config(dataset={"classes": CLASSES, "map": MAP}, **by_index))
    lut[20], lut[1] = 255, 4
    assert torch.equal(mapped, torch.from_numpy(lut)[plain])


def test_classes_of_the_same_name_need_no_entry(voc: Path, make_config: MakeConfig) -> None:
    classes = list(reversed(VOC_SPEC.classes))
    plain = labels_of(make_config(voc))
    turned = labels_of(make_config(voc, dataset={"classes": classes}))
    assert torch.equal(turned, torch.where(plain == 255, 255, 20 - plain))


def test_classes_have_the_colors_of_those_that_become_them() -> None:
    """Of the class of their name rather than of another; new ones have colours apart."""
    spec = remap(VOC_SPEC, classes=("thing", "person", "bus"), mapping={"car": "bus", "*": "thing"})
    assert spec.display_colors[0] == VOC_SPEC.colors[0]
    assert spec.display_colors[1:] == tuple(
        VOC_SPEC.colors[VOC_SPEC.classes.index(name)] for name in ("person", "bus")
    )
    mapping = {"person": None, "*": "thing"}
    spec = remap(VOC_SPEC, classes=("person", "thing", "new"), mapping=mapping)
    assert spec.display_colors[1] == VOC_SPEC.colors[0]
    assert len(set(spec.display_colors)) == 3


@pytest.mark.parametrize("key", [99999, -1, (300, 0, 0)])
def test_values_that_there_are_not(key: Any) -> None:
    with pytest.raises(DatasetError, match=r"^dataset\.map: .*: expected "):
        remap(VOC_SPEC, classes=None, mapping={key: "car"})


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"classes": ["background", "person"]}, r"says nothing of .* class 'aeroplane'"),
        ({"map": {"car": "lorry"}}, "'car' becomes 'lorry', which is no class"),
        ({"map": {"hors": "car"}}, r"has no class 'hors'; did you mean 'horse'\?"),
        ({"classes": ["a", "a"], "map": {"*": "a"}}, "'a' is there twice"),
        ({"map": {"*": "car"}}, r"'\*' has no effect without dataset\.classes: every class that"),
        ({"images": "*.jpg"}, r"dataset\.images: voc2012 does not take it"),
        ({"classes": "/no/such/file.json"}, "cannot be read"),
    ],
)
def test_what_does_not_fit(voc: Path, keys: dict[str, Any], reason: str) -> None:
    config = parse_config({"dataset": {"root": str(voc), **keys}})
    with pytest.raises(DatasetError, match=reason):
        build_loader(config)


def test_names_and_keys_are_checked(voc: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'voc2012'"):
        parse_config({"dataset": {"root": str(voc), "name": "voc2021"}})
    with pytest.raises(ConfigError, match=r"key 1\.5"):
        parse_config({"dataset": {"root": str(voc), "map": {1.5: "car"}}})
    with pytest.raises(DatasetError, match="did you mean 'voc2012'"):
        find_pairs("voc2021", voc, "val")


class _Entry:
    """As an installed package would bring it."""

    name = value = "mine"

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def load(self) -> Any:
        return self._dataset


def test_a_package_of_the_users_adds_a_data_set(voc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(root: Path, split: str, *, must_exist: bool, options: DatasetOptions) -> PairIndex:
        assert options.labels == "fine"
        return find_voc(root, split, must_exist=must_exist).select([1, 0])

    def entries(dataset: Any) -> None:
        def entry_points(*, group: str, name: str | None = None) -> list[_Entry]:
            assert group == "dali_voc.datasets"
            return [_Entry(dataset)] if name in (None, "mine") else []

        monkeypatch.setattr("dali_voc.datasets._find.entry_points", entry_points)

    entries(Dataset(find=find, takes=("labels",)))
    config = parse_config({"dataset": {"name": "mine", "root": str(voc), "labels": "fine"}})
    with build_loader(config, split="val") as loader:
        assert len(loader.index) == 2
    from dali_voc.datasets import _find

    _find._lookup.cache_clear()
    entries(find)
    with pytest.raises(DatasetError, match="a function, expected a dali_voc"):
        build_loader(config, split="val")
    _find._lookup.cache_clear()


def test_values_go_before_names() -> None:
    """A class all of whose values and colours are mapped needs no entry."""
    spec = LabelSpec(classes=("a", "b"), colors=((1, 1, 1), (2, 2, 2)))
    changed = remap(spec, classes=("a",), mapping={1: "a", (2, 2, 2): None})
    (label_map,) = changed.label_maps()
    assert dict(label_map.values) == {0: 0, 1: 0, 255: None}
    assert dict(label_map.colors) == {(1, 1, 1): 0, (2, 2, 2): None}


@pytest.mark.parametrize("n", [1, 256, 257, 1000, 65535])
def test_colors_differ(n: int) -> None:
    assert len(set(distinct_colors(n))) == n


def test_a_class_that_comes_later_keeps_its_color() -> None:
    spec = remap(VOC_SPEC, classes=("thing", "car"), mapping={"bus": "car", "*": "thing"})
    assert spec.display_colors[1] == VOC_SPEC.colors[VOC_SPEC.classes.index("car")]


@pytest.mark.parametrize("guessed", [True, False])
def test_colors_that_are_guessed_stay_a_guess(guessed: bool) -> None:
    colors = ((0, 0, 0), (128, 0, 0))
    spec = LabelSpec(classes=("a", "b"), colors=colors, colors_guessed=guessed)
    changed = remap(spec, classes=None, mapping={"b": "a"})
    assert changed.palette_rule("auto") == spec.palette_rule("auto")


def test_several_classes_become_void() -> None:
    mapping = {"car": None, "bus": None, "*": "thing"}
    spec = remap(VOC_SPEC, classes=("thing", "new"), mapping=mapping)
    assert spec.display_colors[0] == VOC_SPEC.colors[0]
    assert len(spec.display_colors) == 2
