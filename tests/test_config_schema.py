"""The JSON Schema takes what `load_config` takes, as far as JSON Schema can say it."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from config_values import DEFS, SCHEMA, TEXT, sections, values
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from dali_voc import Config, parse_config
from dali_voc._config_schema import SCHEMA_FILE, config_schema, schema_text
from dali_voc._dataset_config import _label_key
from dali_voc.datasets import DATASETS

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "configs").glob("*.yaml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
]
VALIDATOR = Draft202012Validator(SCHEMA)
# what JSON Schema cannot say; besides, it takes 8.0 for an integer, and all keys for text, so that
# dataset.map may have the key 1.5
UNSAID = (
    "expected the smaller number first",
    "the shares cutmix, classmix and copy_paste sum up to more than 1",
    "stride is larger than crop_size",
    "expected weights whose sum is finite",
    "transpose needs a crop_size of as many rows as columns",
    "expected one of: voc2012",
    "expected each value and colour once",
)


def takes(tree: Any) -> bool:
    """Whether the schema takes what an editor sees of a tree."""
    return VALIDATOR.is_valid(json.loads(json.dumps(tree)))


def should_take(tree: Any) -> bool:
    """Whether the models take it, but for what JSON Schema cannot say."""
    try:
        Config.model_validate(copy.deepcopy(tree))
    except ValidationError as e:
        if not all(any(words in error["msg"] for words in UNSAID) for error in e.errors()):
            return False
        # behind it, models do not look for what is wrong with several keys together
        mended = copy.deepcopy(tree)
        found = [mend(mended, error["loc"], error["msg"]) for error in e.errors()]
        if any(found):
            return should_take(mended)
    return True


def mend(tree: Any, place: tuple[int | str, ...], words: str) -> bool:
    """Change what JSON Schema cannot say, and nothing else; return whether that was possible."""
    *above, last = place
    part = tree
    for key in above:
        part = part[key]
    if "expected the smaller number first" in words:
        part[last] = sorted(part[last])
    elif "sum is finite" in words:
        part[last] = [weight / len(part[last]) for weight in part[last]]
    elif "each value and colour once" in words:
        keys = {_label_key(key): key for key in reversed(part[last])}
        part[last] = {key: part[last][key] for key in keys.values()}
    elif "transpose needs" in words:
        part[last] |= {"transpose": 0}
    elif "the shares" in words:
        part[last] |= dict.fromkeys(("cutmix", "classmix", "copy_paste"), 0)
    else:
        return False
    return True


def test_file_is_up_to_date() -> None:
    """`dali-voc config --schema -o dali_voc/config.schema.json` writes it anew."""
    written, anew = SCHEMA_FILE.read_text(encoding="utf-8"), schema_text(tuple(DATASETS))
    # as pairs, whose order counts; older pydantic writes 1.0 as 1
    assert json.loads(written, object_pairs_hook=list) == json.loads(anew, object_pairs_hook=list)
    # installed, it is another file
    assert (ROOT / "dali_voc" / SCHEMA_FILE.name).read_bytes() == SCHEMA_FILE.read_bytes()


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_name_it_and_pass(path: Path) -> None:
    text = path.read_text()
    first = text.splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found
    assert (path.parent / found[1]).resolve() == ROOT / "dali_voc" / SCHEMA_FILE.name
    assert takes(yaml.safe_load(text))


@pytest.mark.parametrize("block", BLOCKS)
def test_examples_pass(block: str, own_dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(own_dataset))
    tree = {"dataset": {"root": "/x"}, **yaml.safe_load(block)}  # some show one section alone
    parse_config(tree)
    assert takes(tree)


def test_every_key_is_explained() -> None:
    for part in DEFS.values():
        for key, value in part["properties"].items():
            assert len(value["description"].split()) >= 3, key
            assert "default" in value or key in part["required"]
            for shown in value.get("examples", []):
                assert Draft202012Validator({**value, "$defs": DEFS}).is_valid(shown), key


def test_names_of_data_sets_are_suggested_and_not_demanded() -> None:
    schema = config_schema(("voc2012", "of_my_own"))
    suggested = schema["$defs"]["DatasetConfig"]["properties"]["name"]["anyOf"][0]["enum"]
    assert suggested == ["voc2012", "of_my_own"]
    assert takes({"dataset": {"root": "/x", "name": "another"}})


ODD: list[Any] = [
    *(None, True, False, -1, 0, 1, 2, 255, 256, 2**63 - 1, 2**63, 0.5, -0.5, 1.5, "8", "auto"),
    *("none", "decoded", "balanced", "uint8", "voc2012", "Color", "m:f", "m:f:g", "m n:f"),
    *([], [1], [1, 2], [2, 1], [1, 2, 3], [1, 2, 3, 4], [0.5, 0.6, "a"], ["a"], ["m:f"], [None]),
    *([True, False], [[1, 2]], [{}], {}, {"keep": "none"}, {"a": "b"}, {"a": None}, {"a": 3}),
    *({"root": "/y"}, [{"root": "/y"}], [{"root": "/y", "weight": 0}], [{"a": 1}], [{"root": 1}]),
]
SECTIONS = {**sections(), "sources": DEFS["SourceConfig"]}
KEYS = [(name, key) for name, part in SECTIONS.items() for key in part["properties"]]


def tree_with(section: str, key: str, value: Any) -> dict[str, Any]:
    """A configuration with one key beside what it must have."""
    if section == "sources":
        return {"dataset": {"root": "/x", "sources": [{"root": "/y", key: value}]}}
    tree: dict[str, Any] = {"dataset": {"root": "/x"}}
    tree.setdefault(section, {})[key] = value
    return tree


def near(schema: dict[str, Any]) -> list[Any]:
    """Values on and beside the bounds of a part of the schema, and its words with a change."""
    if "anyOf" in schema:
        return [value for kind in schema["anyOf"] for value in near(kind)]
    if "items" in schema:
        good = next(iter(near(schema["items"])), "a")
        lengths = {schema.get("minItems", 0), schema.get("maxItems", 5)}
        lists = [[good] * (n + d) for n in lengths for d in (-1, 0, 1)]
        rest = [good] * (schema.get("minItems", 1) - 1)
        odd = (None, True, -0.5, 1.5, "a", "m:f", [1], {})
        return lists + [[*rest, value] for value in (*near(schema["items"]), *odd)]
    words = schema.get("enum", [schema["const"]] if "const" in schema else [])
    bounds = [schema[b] for b in ("minimum", "maximum", "exclusiveMinimum") if b in schema]
    is_integer = schema.get("type") == "integer"
    step = 1 if is_integer else 1e-9
    beside = [bound + d * step * max(1, abs(bound)) for bound in bounds for d in (0, -1, 1)]
    return [*words, *(word.upper() for word in words), *beside]


@pytest.mark.parametrize(("section", "key"), KEYS, ids=lambda part: part)
def test_each_key_by_itself(section: str, key: str) -> None:
    taken = 0
    for value in [*near(SECTIONS[section]["properties"][key]), *ODD]:
        tree = whole_numbers(tree_with(section, key, value))
        assert takes(tree) == should_take(tree), tree
        taken += takes(tree)
    assert taken


@pytest.mark.parametrize("section", sections())
def test_each_section_by_itself(section: str) -> None:
    trees = [{"dataset": {"root": "/x"}, section: value} for value in [*ODD, "encoded", "uniform"]]
    trees += [tree_with(section, key, None) for key in ("nme", "", "Name")]
    for tree in [*trees, tree_with("sources", "nme", "a"), {section: {}}, {}, None, 3, []]:
        assert takes(tree) == should_take(tree), tree


@st.composite
def trees(draw: st.DrawFn) -> Any:
    """A configuration with a few keys; in some of them something is wrong."""
    tree: dict[str, Any] = {"dataset": {"root": "/x"}}
    name, part = draw(st.sampled_from(list(sections().items())))
    for key in draw(st.sets(st.sampled_from(list(part["properties"])), min_size=1, max_size=6)):
        tree.setdefault(name, {})[key] = draw(values(part["properties"][key]))
    match draw(st.integers(0, 12)):
        case 0:
            tree[draw(st.sampled_from(list(SCHEMA["properties"])))] = draw(st.sampled_from(ODD))
        case 1:
            tree[name][draw(TEXT)] = draw(st.sampled_from(ODD))
        case 2:
            tree[draw(st.sampled_from(["datasets", "cahce", "$schema"]))] = {}
        case 3:
            del tree["dataset"]
    return whole_numbers(tree)


def whole_numbers(tree: Any) -> Any:
    """Write 8.0 as 8, which JSON Schema does not tell apart."""
    if isinstance(tree, dict):
        return {key: whole_numbers(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [whole_numbers(value) for value in tree]
    return int(tree) if isinstance(tree, float) and tree.is_integer() else tree


@settings(max_examples=150, deadline=None)
@given(tree=trees())
@example(tree={"dataset": {"root": "/x"}, "labels": {"dtype": "uint8", "ignore_index": 256}})
@example(tree={"dataset": {"root": "/x"}, "labels": {"dtype": "uint8", "ignore_index": 255}})
@example(tree={"dataset": {"root": "/x"}, "labels": {"one_hot": True, "masks": []}})
@example(tree={"dataset": {"root": "/x"}, "labels": {"one_hot": True, "masks": None}})
@example(tree={"dataset": {"root": "/x"}, "labels": {"masks": ["car"], "ignore_index": 1}})
@example(tree={"dataset": {"root": "/x"}, "labels": {"masks": ["car"], "ignore_index": 2}})
@example(tree={"dataset": {"root": "/x"}, "sampling": {"policy": "balanced", "weights": "w"}})
@example(
    tree={
        "dataset": {"root": "/x"},
        "augment": {"small": "drop", "resize_shorter": 1, "noise_std": [1, 0]},
    }
)
@example(tree={"dataset": {"root": "/x"}, "augment": {"class_weights": [1e308, 1e308]}})
@example(tree={"dataset": {"root": "/x", "map": {"1": "a", " 01": "b"}}})
@example(tree={"dataset": {"root": "/x", "map": {"1": "a", " 01": "b", "2": 3}}})
@example(
    tree={
        "dataset": {"root": "/x"},
        "augment": {"cutmix": 1, "classmix": 1, "small": "drop", "resize_shorter": 1},
    }
)
def test_schema_and_models_agree(tree: Any) -> None:
    assert takes(tree) == should_take(tree)


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ("augment", {"scale": [2, 1]}),
        ("augment", {"cutmix": 0.6, "classmix": 0.6}),
        ("augment", {"crop_size": [64, 64], "stride": [65, 64]}),
        ("dataset", {"root": "/x", "name": "voc2013"}),
        ("loader", {"batch_size": 8.0}),
    ],
)
def test_what_the_schema_cannot_say(section: str, keys: dict[str, Any]) -> None:
    tree = {"dataset": {"root": "/x"}, section: keys}
    assert takes(tree)
    with pytest.raises(ValidationError):
        Config.model_validate(tree)
