"""What `dali-voc config` prints is read back to the same configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from config_values import overrides
from hypothesis import given, settings
from hypothesis import strategies as st

from dali_voc import Config, ConfigError, load_config, parse_config
from dali_voc._config_tree import _OnceLoader
from dali_voc._config_yaml import config_to_tree, config_to_yaml

ROOT = Path(__file__).parents[1]
BARE = {"dataset": {"root": "/x"}}
READABLE = """\
dataset:
  name: sources
  root: /x
  sources:
    - root: /a
      map:
        7: car
        128, 64, 128: road
        '*': null

augment:
  crop_size: [64, 96]

cache:
  keep: decoded
"""


def checked(settings: list[str]) -> Config:
    """The configuration with those of some overrides that do not contradict earlier ones."""
    kept: list[str] = []
    for setting in settings:
        try:
            parse_config(BARE, overrides=[*kept, setting])
        except ConfigError:
            continue
        kept.append(setting)
    return parse_config(BARE, overrides=kept)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "config.yaml"


@settings(max_examples=100, deadline=None)
@given(given_settings=overrides(), changed=st.booleans())
def test_round_trip(path: Path, given_settings: list[str], changed: bool) -> None:
    config = checked(given_settings)
    path.write_text(config_to_yaml(config, changed=changed), encoding="utf-8")
    assert load_config(path) == config
    assert parse_config(config_to_tree(config, changed=changed)) == config


@settings(max_examples=50, deadline=None)
@given(given_settings=overrides())
def test_changed_is_what_differs_from_the_defaults(given_settings: list[str]) -> None:
    config = checked(given_settings)
    defaults = parse_config(BARE)
    expected = {
        (section, key)
        for section in Config.model_fields
        for key in type(getattr(config, section)).model_fields
        if getattr(getattr(config, section), key) != getattr(getattr(defaults, section), key)
    }
    tree = config_to_tree(config, changed=True)
    found = {(section, key) for section, keys in tree.items() for key in keys}
    assert found == expected | {("dataset", "root")}


def test_it_reads_well() -> None:
    settings = [
        "dataset.name=sources",
        'dataset.sources=[{root: /a, map: {7: car, "#804080": "road", "*": null}}]',
        "augment.crop_size=[64, 96]",
        "cache=decoded",
    ]
    text = config_to_yaml(parse_config(BARE, overrides=settings), changed=True)
    assert text == READABLE


def test_sections_and_keys_keep_their_order() -> None:
    example = ROOT / "configs/voc2012.yaml"
    written = yaml.safe_load(example.read_text())
    printed = yaml.safe_load(config_to_yaml(load_config(example)))
    assert [(s, list(keys)) for s, keys in printed.items()] == [
        (s, list(keys)) for s, keys in written.items()
    ]


def test_line_breaks_of_unicode_are_kept() -> None:
    names = ["\u2028\x85", "a\x85b", "plain"]
    dataset = {"root": "/x", "name": "voc_layout", "classes": names}
    text = config_to_yaml(parse_config({"dataset": dataset}))
    assert yaml.safe_load(text)["dataset"]["classes"] == names


@pytest.mark.parametrize("text", ["1e5", "-2E+3", "1.5e3", ".5e1", "1e", "0x1f", "1_000", "12:30"])
def test_text_that_looks_like_a_number(text: str) -> None:
    tree = {"dataset": {"name": "folder", "root": text, "classes": [text, "b"]}}
    config = parse_config({**tree, "dataset": {**tree["dataset"], "images": "*.jpg", "masks": "*"}})
    again = yaml.load(config_to_yaml(config), _OnceLoader)
    assert parse_config(again) == config
