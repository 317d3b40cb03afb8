"""Configuration: what is accepted, and one line per problem for what is not."""

from __future__ import annotations

import json
import math
import re
from collections import UserDict, UserList
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from dali_voc import Config, ConfigError, load_config, parse_config

EXAMPLE = Path(__file__).parents[1] / "configs/voc2012.yaml"


def test_the_annotated_example_shows_every_key_and_its_default() -> None:
    written = yaml.safe_load(EXAMPLE.read_text())
    defaults = Config.model_validate({"dataset": written["dataset"]}).model_dump(mode="json")
    missing = {
        (section, key)
        for section, keys in defaults.items()
        for key in keys
        if key not in written.get(section, {}) and keys[key] is not None
    }
    assert missing == set()
    assert load_config(EXAMPLE) == Config.model_validate({"dataset": written["dataset"]})


def test_overrides_are_yaml_and_the_last_wins() -> None:
    config = load_config(
        EXAMPLE,
        overrides=["loader.batch_size=8", "loader.batch_size=9", "augment.crop_size=[64, 96]"],
    )
    assert config.loader.batch_size == 9
    assert config.augment.crop_size == (64, 96)


@pytest.mark.parametrize("spelling", ["dataset.sources[1].root", "dataset.sources.1.root"])
@pytest.mark.parametrize("again", [False, True])
def test_overrides_of_items_of_lists(spelling: str, again: bool) -> None:
    sources = [{"name": "voc2012", "root": "/a"}, {"name": "voc2012", "root": "/b", "weight": 2}]
    tree: Any = {"dataset": {"name": "sources", "root": "/", "sources": sources}}
    tree = parse_config(tree) if again else tree
    given = [f"{spelling}=/c", "augment.crop_size=[64, 96]", "augment.crop_size[0]=32"]
    config = parse_config(tree, overrides=given)
    assert [source.root for source in config.dataset.sources] == ["/a", "/c"]
    assert config.dataset.sources[1].weight == 2
    assert config.augment.crop_size == (32, 96)
    assert sources[1]["root"] == "/b"
    with pytest.raises(
        ConfigError, match=r"^override dataset\.sources\[1\]\.root: found 5, expect"
    ):
        parse_config(tree, overrides=[f"{spelling}=5"])


def test_overrides_of_keys_with_numbers_and_brackets() -> None:
    dataset = {"name": "folder", "root": "/x", "classes": ["a", "b"]}
    config = parse_config(
        {"dataset": {**dataset, "map": {"a[1]": "b"}}},
        overrides=["dataset.map.a[1]=a", "dataset.map.7=b", "dataset.map.b[1]x=b"],
    )
    assert config.dataset.map == {"a[1]": "a", 7: "b", "b[1]x": "b"}
    config = parse_config({"dataset": dataset}, overrides=["dataset.map.7=b"])
    assert config.dataset.map == {7: "b"}


def test_overrides_do_not_change_the_callers_tree() -> None:
    tree: dict[str, dict[str, Any]] = {"dataset": {"root": "/a"}}
    assert parse_config(tree, overrides=["dataset.root=/b"]).dataset.root == "/b"
    assert tree == {"dataset": {"root": "/a"}}
    tree = {"dataset": {"root": "/a", "map": {0: "a"}}}
    parse_config(tree, overrides=["dataset.map.1=b"])
    assert tree == {"dataset": {"root": "/a", "map": {0: "a"}}}


def test_root_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_HERE", "/data")
    config = parse_config({"dataset": {"root": "$DATA_HERE/VOC2012"}})
    assert config.dataset.path == Path("/data/VOC2012")
    assert parse_config({"dataset": {"root": "~/x"}}).dataset.path == Path.home() / "x"


def test_balanced_is_short_for_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATS_HERE", "/counts")
    tree = {"dataset": {"root": "/x"}, "sampling": "balanced"}
    long = {"policy": "balanced", "stats": "stats.json", "weights": None}
    long |= {"epoch_length": None, "crops": 1}
    assert parse_config(tree).sampling.model_dump() == long
    assert Config.model_validate(tree) == parse_config(tree)
    assert tree["sampling"] == "balanced"
    assert load_config(EXAMPLE, overrides=["sampling=balanced"]).sampling.policy == "balanced"
    for root in "~", "$STATS_HERE":
        config = parse_config(tree, overrides=[f"sampling.stats={root}/a.json"])
        assert config.sampling.policy == "balanced"
        home = Path.home() if root == "~" else Path("/counts")
        assert config.sampling.stats_path == home / "a.json"
    config = load_config(EXAMPLE, overrides=["cache=decoded", "cache.memory=2"])
    assert (config.cache.keep, config.cache.memory) == ("decoded", 2)
    # in either order, and beside what a file says
    for overrides in ["cache.memory=2", "cache=decoded"], ["cache=decoded", "cache.memory=2"]:
        cache = parse_config({"dataset": {"root": "/x"}}, overrides=overrides).cache
        assert (cache.keep, cache.memory) == ("decoded", 2)
    base = {"dataset": {"root": "/x"}, "cache": {"keep": "none", "memory": 12}}
    assert parse_config(base, overrides=["cache=decoded"]).cache.memory == 12
    with pytest.raises(ConfigError, match=r"^configuration: sampling\.weights: found"):
        parse_config({**tree, "sampling": {"weights": "w"}}, overrides=["sampling=balanced"])
    with pytest.raises(ConfigError, match=r"^override cache\.keep: found 'decode'"):
        parse_config(base, overrides=["cache=decode"])
    assert parse_config(base, overrides=["cache={keep: decoded}"]).cache.memory == 4
    path = parse_config({**tree, "sampling": {"stats": Path("/a.json")}}).sampling.stats_path
    assert path == Path("/a.json")


def test_a_section_may_be_empty() -> None:
    tree = {"dataset": {"root": "/x"}}
    assert parse_config({**tree, "augment": None, "cache": None}) == parse_config(tree)


def test_models_are_frozen() -> None:
    config = load_config(EXAMPLE)
    with pytest.raises(ValueError, match="frozen"):
        config.loader.batch_size = 3


PROBLEMS: list[tuple[dict[str, Any], list[str]]] = [
    ({"loader": {"batchsize": 8}}, ["loader.batchsize: unknown key", "did you mean 'batch_size'"]),
    ({"loder": {}}, ["loder: unknown key", "did you mean 'loader'", "known: dataset"]),
    (
        {"loader": {"batch_size": "8"}},
        ["loader.batch_size: found '8', ", "expected a valid integer"],
    ),
    ({"loader": {"batch_size": 0}}, ["loader.batch_size: found 0", "greater than or equal to 1"]),
    ({"loader": {"batch_size": True}}, ["loader.batch_size: found True", "integer"]),
    ({"loader": {"threads": "many"}}, ["loader.threads: found 'many'", "integer or", "'auto'"]),
    ({"loader": {"threads": 0}}, ["loader.threads: found 0", "greater than or equal to 1"]),
    ({"loader": {"device": "gpu"}}, ["loader.device: found 'gpu'", "'auto', 'cpu' or 'cuda'"]),
    ({"loader": {"last_batch": "partal"}}, ["did you mean 'partial'"]),
    ({"augment": {"crop_size": 320}}, ["augment.crop_size: found 320"]),
    ({"augment": {"crop_size": [320]}}, ["augment.crop_size"]),
    ({"augment": {"crop_size": [320, -1]}}, ["augment.crop_size[1]: found -1"]),
    ({"augment": {"flip": 1.5}}, ["augment.flip: found 1.5", "less than or equal to 1"]),
    (
        {"normalize": {"std": [0.2, 0.2, 0]}},
        ["normalize.std[2]: found 0", "greater than or equal to 0.000001"],
    ),
    ({"normalize": {"mean": [120, 0.4, 0.4]}}, ["normalize.mean[0]: found 120"]),
    ({"labels": {"ignore_index": 65535}}, ["labels.ignore_index: found 65535"]),
    ({"dataset": {"name": "voc2013", "root": "/x"}}, ["dataset.name: found 'voc2013'", "voc2012"]),
    ({"dataset": {"name": "voc2012"}}, ["dataset.root: missing", "the data set's folder"]),
    ({"sampling": "balancd"}, ["sampling.policy: found 'balancd'", "did you mean 'balanced'?"]),
    ({"augment": {"class_weights": [0, 0]}}, ["augment.class_weights: found", "more than 0"]),
    ({"augment": {"class_weights": [math.inf]}}, ["augment.class_weights", "a finite number"]),
    ({"augment": {"class_weights": [1e308, 1e308]}}, ["augment.class_weights", "sum is finite"]),
    ({"sampling": 5}, ["sampling: found 5", "a section of keys"]),
    (
        {"sampling": {"policy": "balanced", "weights": "w.txt"}},
        ["sampling.weights: found 'w.txt', expected null where sampling.policy is 'balanced'"],
    ),
    (
        {"dataset": {"root": "/x", "map": {"1, 2, 3": "a", "#010203": "b"}}},
        ["dataset.map: found", "expected each value and colour once, not (1, 2, 3) twice"],
    ),
    ({"loader": 5}, ["loader: found 5", "a section of keys"]),
    ({"augment": {"crop_size": 5}}, ["augment.crop_size: found 5, expected a list"]),
    (
        {"augment": {"crop_size": [5]}},
        ["augment.crop_size[1]: missing, expected height and width of the output"],
    ),
    ({"augment": {"crop_size": [5, 6, 7]}}, ["list should have at most 2 items, not 3"]),
    (
        {"dataset": {"root": "/x", "classes": 3}},
        ["dataset.classes: found 3, expected a list or a valid string"],
    ),
    (
        {"dataset": {"root": "/x", "sources": [{"root": "/y"}, {"root": "/z", "nme": "voc2012"}]}},
        ["dataset.sources[1].nme: unknown key; did you mean 'name'? (known: name, root, "],
    ),
    (
        {"dataset": {"root": "/x", "sources": [{"name": "voc2012"}]}},
        ["dataset.sources[0].root: missing, expected the data set's folder"],
    ),
    (
        {"augment": {"scale": 0.5}},
        ["augment.scale: found 0.5, expected a list: range of factors"],
    ),
    ({"augment": {"brightness": 0.4}}, ["expected levels: a relative 0.4 is 102 here"]),
    ({"augment": {"hue": 0.1}}, ["expected degrees: a relative 0.1 is 36 here"]),
    ({"normalize": {"std": [58.4, 0.2, 0.2]}}, ["normalize.std[0]: found 58.4", "by 255"]),
    ({"dataset": {"root": "/x", "classes": []}}, ["dataset.classes: found []", "at least one"]),
    ({"augment": {"copy_paste_classes": []}}, ["copy_paste_classes: found []", "at least one"]),
    (
        {"dataset": {"root": "/x", "map": {1: 0}}},
        ["expected the name of a class, or null, for 1, not the int 0"],
    ),
    ({"loader": {"num_workers": 4}}, ["unknown key; here it is loader.threads (known: "]),
    ({"loader": {"crop_size": [9, 9]}}, ["unknown key; it is a key of section 'augment' ("]),
    (
        {"dataset": {"root": "/x", "sources": [{"root": "/y", "weight": 0}]}},
        ["dataset.sources[0].weight: found 0, expected greater than 0"],
    ),
]


@pytest.mark.parametrize(("sections", "parts"), PROBLEMS)
def test_one_line_says_key_found_and_allowed(sections: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config({"dataset": {"root": "/x"}, **sections}, source="my.yaml")
    lines = str(error.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("my.yaml: ")
    for part in parts:
        assert part in lines[0]


def test_each_problem_has_its_line() -> None:
    with pytest.raises(ConfigError) as error:
        parse_config({"loader": {"seed": -1, "prefetch": 0}})
    assert len(str(error.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("loader.batch_size", "expected key=value"),
        ("=3", "expected key=value"),
        ("loader.batch_size=[", "not valid YAML"),
        ("dataset.images={split}/**/*.jpg", r"expected .* text that begins so stands in quotes"),
        (
            "dataset.masks=*.png",
            "text that begins so stands in quotes, as in 'dataset.masks=\"{spl",
        ),
        ("dataset.root=a: b: c", r"not valid YAML \(mapping values are not allowed here\)$"),
        ("augment.crop_size=[64, 96", r"YAML \(expected ',' or '\]', but got '<stream end>'\)$"),
        ("augment.crop_size.2=5", "found '2', expected the number of an item, 0 to 1$"),
        ("augment.crop_size.x=5", "found 'x', expected the number of an item"),
        ("dataset.sources[0].root=/x", "found '0', expected the number of an item, of which there"),
        (
            "augment.scale[0]=0.5",
            r"no list 'scale' to change an item of; expected .* scale=\[\.\.\.\]",
        ),
        ("augment.crop_size[0]1=9", r"augment\.crop_size\[0\]1: unknown key; did you mean 'crop_s"),
        ("dataset.root.x=3", "no keys below"),
        ("dataset.root=2024-02-30", "day is out of range for month.*stands in quotes"),
        (f"loader.seed={'9' * 5000}", "not valid YAML"),
        ("loader.seed=0x_", "not valid YAML"),
        ("loader.seed=!!bool abc", "not valid YAML"),
        ("loader.seed=!!timestamp abc", "not valid YAML"),
        (f"loader.seed={'[' * 3000}", "nested too deeply"),
        ("dataset.map={120, 80, 40: soil}", "key '120' on line 1 has no value; a colour stands in"),
        ("dataset.map={128, 64, 128: soil}", "key '128' on line 1 has no value; a colour stands"),
    ],
)
def test_wrong_overrides(override: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        load_config(EXAMPLE, overrides=[override])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "not valid YAML"),
        ("just words", "expected sections"),
        ("", "dataset: missing"),
        ("cache: none\ncache: decoded", "key 'cache' on lines 1 and 2, expected it once"),
        ("loader:\n  seed: 1\n  rank: 0\n  seed: 1", "key 'seed' on lines 2 and 4"),
        ("dataset:\n  root: 2024-02-30", "day is out of range"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=reason) as error:
        load_config(path)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_key_in_two_sections_and_over_a_merged_one_is_no_repetition(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(
        "dataset:\n  name: sources\n  root: /\n  sources:\n"
        "  - &first {name: voc2012, root: /x}\n  - {<<: *first, root: /y}\n"
    )
    sources = load_config(path).dataset.sources
    assert [str(source.root) for source in sources or ()] == ["/x", "/y"]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_config(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path)


def test_a_problem_of_an_override_is_not_the_files(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text("dataset: {root: /x}\nloader: {batch_size: 0}\n")
    with pytest.raises(ConfigError) as error:
        load_config(file, overrides=["agument.flip=1", "loader.threads=0"])
    lines = str(error.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        str(file),
        "override loader.threads",
        f"{file} with overrides",
    ]
    file.write_text("dataset: {root: /x}\naugment: {cutmix: 0.6, classmix: 0.6}\n")
    with pytest.raises(ConfigError, match=f"^{file} with overrides: augment: the shares"):
        load_config(file, overrides=["augment.flip=1"])
    with pytest.raises(ConfigError, match=r"^override 'loader={a: 1, a: 2}': key 'a' on lines"):
        load_config(file, overrides=["loader={a: 1, a: 2}"])


def test_what_json_writes_can_be_read(tmp_path: Path) -> None:
    """Small numbers without a point, and numbers as keys."""
    mapping = {0: "a", (1, 2, 3): "b"}
    dataset = {"name": "folder", "root": "/x", "map": {0: "a", "1, 2, 3": "b"}}
    config = parse_config({"dataset": dataset, "augment": {"erase_area": [1e-5, 0.3]}})
    file = tmp_path / "c.json"
    tree = {
        "dataset": {**dataset, "map": {"0": "a", "1, 2, 3": "b"}},
        "augment": {"erase_area": [1e-5, 0.3]},
    }
    file.write_text(json.dumps(tree))
    assert "1e-05" in file.read_text()
    assert load_config(file) == config
    assert config.dataset.map == mapping
    over = parse_config({"dataset": dataset}, overrides=["dataset.map.7=a"])
    assert over.dataset.map == {**mapping, 7: "a"}
    over = parse_config({"dataset": dataset}, overrides=["dataset.map.0=b"])
    assert over.dataset.map == {**mapping, 0: "b"}


@pytest.mark.parametrize("text", ["1e-1", "1.0e-1", ".1E0", "+1.e-1", "0.1", "1e-01"])
def test_numbers_of_yaml_1_2(text: str) -> None:
    config = parse_config({"dataset": {"root": "/x"}}, overrides=[f"augment.flip={text}"])
    assert config.augment.flip == 0.1


@pytest.mark.parametrize("text", ["{0: , 1: a}", "{0 : null, 1: a}", "{0:, 1: a}"])
def test_values_that_are_ignored_in_a_flow_mapping(text: str) -> None:
    config = load_config(EXAMPLE, overrides=[f"dataset.map={text}"])
    assert config.dataset.map == {0: None, 1: "a"}


@pytest.mark.parametrize("overrides", ["loader.seed=1", [("loader.seed", 1)], None])
def test_overrides_that_are_no_list_of_texts(overrides: Any) -> None:
    with pytest.raises(ConfigError, match=r"overrides: found .*, expected a list such as"):
        load_config(EXAMPLE, overrides=overrides)


def test_python_values_come_back_as_they_went() -> None:
    """Colours are tuples there, and paths may be paths."""
    tree = {
        "dataset": {
            "root": Path("/x"),
            "classes": Path("c.csv"),
            "map": {"1, 2, 3": "a", " 7 ": "b"},
        },
        "sampling": {"weights": Path("w.txt"), "stats": Path("s.json")},
    }
    config = parse_config(tree)
    assert config.dataset.map == {(1, 2, 3): "a", 7: "b"}
    assert (config.sampling.weights, config.dataset.classes) == ("w.txt", "c.csv")
    assert parse_config(config.model_dump()) == config


def test_what_acts_as_dictionaries_and_lists_will_do() -> None:
    """As OmegaConf's nodes do, which are neither."""
    augment = UserDict({"crop_size": UserList([64, 96]), "scale": (0.5, 2)})
    tree = UserDict({"dataset": UserDict({"root": "/x"}), "augment": augment, "loader": None})
    config = parse_config(tree, overrides=["augment.flip=0.25"])
    plain = {"crop_size": [64, 96], "scale": [0.5, 2], "flip": 0.25}
    assert config == parse_config({"dataset": {"root": "/x"}, "augment": plain})
    assert "flip" not in augment
    with pytest.raises(ConfigError, match=r"augment\.crop_size\[0\]: found 'wide'"):
        parse_config({**tree, "augment": UserDict({"crop_size": UserList(["wide", 1])})})


def test_a_tree_that_contains_itself() -> None:
    tree: dict[str, Any] = {"dataset": {"root": "/x"}}
    tree["augment"] = tree
    with pytest.raises(ConfigError, match=r"^c: it is nested too deeply$"):
        parse_config(tree, source="c")


@pytest.mark.parametrize("path", sorted(EXAMPLE.parent.glob("*.yaml")), ids=lambda p: p.stem)
def test_a_config_becomes_another(path: Path) -> None:
    config = load_config(path, overrides=["augment.crop_size=[64, 96]"])
    assert parse_config(config) == config
    changed = parse_config(config, overrides=["loader.batch_size=7"])
    assert changed == load_config(
        path, overrides=["augment.crop_size=[64, 96]", "loader.batch_size=7"]
    )
    assert config != changed


@pytest.mark.parametrize(
    ("section", "update", "reason"),
    [
        ("loader", {"batch_size": -2}, "LoaderConfig: batch_size: found -2, expected greater"),
        ("loader", {"bach_size": 2}, "LoaderConfig: bach_size: unknown key; did you mean 'batch_"),
        ("augment", {"validation": "full"}, "AugmentConfig: stored_labels is for validation: resi"),
        (None, {"loader": 5, "augmnt": 5}, "Config: loader: found 5, expected a section of keys\n"),
        (None, {"loader": {"batch_size": 0}}, "Config: loader.batch_size: found 0, expected great"),
    ],
)
def test_a_copy_with_other_values_is_checked(
    section: str | None, update: dict[str, Any], reason: str
) -> None:
    augment = {"validation": "resize", "stored_labels": True}
    config = parse_config({"dataset": {"root": "/data"}, "augment": augment})
    with pytest.raises(ConfigError, match="^" + re.escape(reason)):
        (getattr(config, section) if section else config).model_copy(update=update)


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_keeps_what_is_not_replaced(*, deep: bool) -> None:
    names = {"1, 2, 3": "road", 5: None, "*": "other"}
    dataset = {"root": "/data", "map": names, "classes": ["road", "other"]}
    config = parse_config({"dataset": dataset, "loader": {"batch_size": 3}})
    assert config.model_copy(deep=deep) == config
    loader = config.loader.model_copy(update={"threads": 2}, deep=deep)
    assert (loader.batch_size, loader.threads) == (3, 2)
    found = config.model_copy(
        update={"loader": loader, "augment": {"crop_size": [3, 4]}}, deep=deep
    )
    expected = {"dataset": dataset, "loader": {"batch_size": 3, "threads": 2}}
    assert found == parse_config({**expected, "augment": {"crop_size": [3, 4]}})
    assert (found.dataset is config.dataset) != deep
    assert config.loader.threads != 2


def test_configs_are_hashable() -> None:
    def make(**keys: Any) -> Config:
        dataset = {"root": "/x", "name": "folder", "classes": ["a", "b"], **keys}
        return parse_config({"dataset": dataset, "normalize": {"mean": [0.5, 0.5, 0.5]}})

    one, same = make(map={1: "a", 2: "b"}), make(map={2: "b", 1: "a"})
    assert one == same
    seen = {one: "one", make(map={1: "b", 2: "b"}): "other", make(): "none"}
    assert (len(seen), seen[same]) == (3, "one")
    sources = [{"name": "folder", "root": "/y", "map": {"1, 2, 3": None}}]
    assert (
        len({parse_config({"dataset": {"root": "/x", "name": "sources", "sources": sources}})}) == 1
    )


def test_a_gpu_is_cuda() -> None:
    with pytest.raises(ConfigError, match=r"found 'gpu', expected .*; did you mean 'cuda'\?$"):
        load_config(EXAMPLE, overrides=["loader.device=gpu"])


def test_overrides_may_be_an_iterator() -> None:
    for listed in (["loader.batch_size=7"], ("loader.batch_size=7",)):
        for overrides in listed, iter(listed), map(str, listed), dict.fromkeys(listed):
            assert load_config(EXAMPLE, overrides=overrides).loader.batch_size == 7
    with pytest.raises(ConfigError, match=r"loader\.nokey: unknown key"):
        load_config(EXAMPLE, overrides=(text for text in ["loader.nokey=3"]))


@pytest.mark.parametrize("text", ["#804080: road", "/a #b", " # nothing", "[1, 2] # two"])
def test_a_comment_in_an_override_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="a '#' begins a comment"):
        load_config(EXAMPLE, overrides=[f"dataset.root={text}"])


@pytest.mark.parametrize(
    ("text", "root"), [("/a#b", "/a#b"), ('"/a #b"', "/a #b"), ("'#1'", "#1"), ('"a" ', "a")]
)
def test_a_hash_that_begins_no_comment(text: str, root: str) -> None:
    assert load_config(EXAMPLE, overrides=[f"dataset.root={text}"]).dataset.root == root


@pytest.mark.parametrize(
    ("section", "key"),
    [("dataset", "root"), ("dataset", "index"), ("sampling", "weights"), ("dataset", "classes")],
)
def test_pythons_none_is_no_path(section: str, key: str) -> None:
    tree: dict[str, Any] = {"dataset": {"root": "/x"}}
    tree.setdefault(section, {})[key] = "None"
    with pytest.raises(
        ConfigError, match=r"found 'None'.* a path; what Python calls None is null in Y"
    ):
        parse_config(tree)


def test_numbers_of_numpys() -> None:
    tree = {
        "dataset": {"root": "/x"},
        "loader": {"batch_size": np.int64(8)},
        "augment": {"flip": np.float32(0.5), "crop_size": [np.int32(64), np.uint8(96)]},
        "labels": {"one_hot": np.bool_(True)},
    }
    config = parse_config(tree)
    assert (config.loader.batch_size, config.augment.crop_size) == (8, (64, 96))
    assert type(config.loader.batch_size) is int
    assert config.labels.one_hot is True


def test_what_has_a_to_dict_is_told_of_it() -> None:
    """As ml_collections' ConfigDict, which is no mapping."""

    class Tree:
        def to_dict(self) -> dict[str, Any]:
            return {"dataset": {"root": "/x"}}

    with pytest.raises(ConfigError, match=r"sections such as 'dataset:'; its to_dict\(\) gives so"):
        parse_config(Tree())
    assert parse_config(Tree().to_dict()).dataset.root == "/x"
