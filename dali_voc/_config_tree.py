"""YAML to nested dictionaries, before anything in them is checked."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dali_voc.errors import ConfigError

__all__ = ["EXPONENT", "apply_override", "copy_tree", "read_tree"]


_MOST_VALUES = 1_000_000
_NOT_TEXT = ("{", "*", "&", "!", "%", "@", "`", "|", ">")


class _OnceLoader(yaml.SafeLoader):
    """Refuses a key that a mapping has twice; PyYAML takes the last without a word.

    And aliases by which a few lines would become millions of values, or none that ends.
    """

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _num_values(node, {}) > _MOST_VALUES:
            raise ConfigError(f"more than {_MOST_VALUES:,} values, with its aliases written out")
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        first: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            # {128, 64, 128: road} has three keys, of which two have no value
            if (
                node.flow_style
                and key.value.isdigit()
                and key.end_mark.index == value.end_mark.index  # without a colon
            ):
                raise ConfigError(
                    f"key '{key.value}' on line {line} has no value; a colour stands in quotes, as "
                    'in "128, 64, 128"'
                )
            if key.value in first:
                raise ConfigError(
                    f"key '{key.value}' on lines {first[key.value]} and {line}, expected it once"
                )
            first[key.value] = line
        return node


def _num_values(node: yaml.Node, known: dict[yaml.Node, float]) -> float:
    """Return how many values a node has in it, aliases written out."""
    if node not in known:
        known[node] = float("inf")  # until it has ended, for an alias of what it is in
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            children = [part for pair in children for part in pair]
        known[node] = 1 + sum(_num_values(child, known) for child in children)
    return known[node]


# YAML 1.1, which PyYAML reads, takes 1e-5 for a text; YAML 1.2 and JSON for a number
EXPONENT = (
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)
_OnceLoader.add_implicit_resolver(*EXPONENT)


def read_tree(path: str | os.PathLike[str]) -> Any:
    """Read a YAML file.

    Raises:
        ConfigError: it cannot be read, is not valid YAML, or has a key twice.
    """
    try:
        return _parse(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file, expected a YAML configuration") from None
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read ({e.strerror})") from None
    except ConfigError as e:
        raise ConfigError(f"{path}: {e}") from None
    except _INVALID as e:
        raise ConfigError(f"{path}: not valid YAML: {_words(e)}") from None


def _parse(text: str) -> Any:
    return yaml.load(text, _OnceLoader)


# What PyYAML raises, where values that look like dates or numbers are none, and deep nesting.
_INVALID = (yaml.YAMLError, ValueError, LookupError, AttributeError, RecursionError)


def _words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return " ".join(str(error).split())


def _ends_with_comment(text: str) -> bool:
    ends = (yaml.StreamEndToken, yaml.BlockEndToken)  # behind a comment
    last = max(token.end_mark.index for token in yaml.scan(text) if not isinstance(token, ends))
    return text[last:].lstrip().startswith("#")


def copy_tree(value: Any) -> Any:
    """Return a copy; what only acts as a dictionary or list, as OmegaConf's nodes do, becomes one.

    Tuples become lists, and NumPy's numbers Python's.

    Raises:
        RecursionError: something in it contains itself.
    """
    if isinstance(value, Mapping):
        return {key: copy_tree(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [copy_tree(item) for item in value]
    return value.item() if isinstance(value, np.generic) else copy.deepcopy(value)


def apply_override(
    tree: dict[Any, Any], override: str, *, short_sections: Mapping[str, str]
) -> tuple[str, ...]:
    """Put `key.path=value` into a tree, and return the key's path there.

    Args:
        tree: section name to keys to values, as `copy_tree` returns it; changed in place.
        override: the value is YAML; items of lists have numbers, `dataset.sources[0].root=/data`.
        short_sections: section -> the key whose value may stand for it.

    Raises:
        ConfigError: it is not of that form, or leads through something that has no keys.
    """
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"override {override!r}: expected key=value, such as loader.batch_size=8")
    value = _value_of(override, key, text)
    short, section = short_sections.get(parts[0]), tree.get(parts[0])
    if short and len(parts) > 1 and isinstance(section, str):
        tree[parts[0]] = {short: section}  # now it has keys
    if short and len(parts) == 1 and isinstance(section, dict) and isinstance(value, str):
        parts.append(short)  # its other keys stay
    place: Any = tree
    path: list[str] = []
    while parts:
        part = parts.pop(0)
        found = re.fullmatch(r"(.+?)((?:\[\d+\])+)", part)
        if found and not (isinstance(place, dict) and part in place):  # items of a list
            numbers = re.findall(r"\d+", found[2])
            if not isinstance(place, dict) or not isinstance(place.get(found[1]), list):
                raise ConfigError(
                    f"override {override!r}: there is no list '{found[1]}' to change an item of; "
                    f"expected all of it, {found[1]}=[...]"
                )
            part, parts = found[1], [*numbers, *parts]
        path.append(part)
        here = _key_in(place, part, override)
        if not parts:
            place[here] = value
            break
        if isinstance(place, dict) and place.get(here) is None:
            place[here] = {}
        place = place[here]
        if not isinstance(place, dict | list):
            raise ConfigError(f"override {override!r}: '{part}' has no keys below it")
    return tuple(path)


def _value_of(override: str, key: str, text: str) -> Any:
    """Return what an override's text stands for in YAML."""
    try:
        value = _parse(text)
    except ConfigError as e:
        raise ConfigError(f"override {override!r}: {e}") from None
    except yaml.YAMLError as e:
        quoted = (
            f"; text that begins so stands in quotes, as in '{key.strip()}=\"{{split}}/*.png\"'"
        )
        raise ConfigError(
            f"override {override!r}: the value is not valid YAML "
            f"({getattr(e, 'problem', None) or _words(e)})"
            f"{quoted if text.lstrip().startswith(_NOT_TEXT) else ''}"
        ) from None
    except _INVALID as e:
        raise ConfigError(
            f"override {override[:80]!r}: the value is not valid YAML ({_words(e)[:80]}); text "
            "that looks like a date or a number stands in quotes"
        ) from None
    if _ends_with_comment(text):
        raise ConfigError(
            f"override {override!r}: a '#' begins a comment, and what follows would be left out; "
            f"text with one stands in quotes, as in '{key.strip()}=\"a #b\"'"
        )
    return value


def _key_in(place: dict[Any, Any] | list[Any], part: str, override: str) -> Any:
    if isinstance(place, dict):  # whose keys may be numbers
        return next((key for key in place if str(key) == part), part)
    if not part.isdecimal() or int(part) >= len(place):
        raise ConfigError(
            f"override {override!r}: found {part!r}, expected the number of an item, "
            f"{f'0 to {len(place) - 1}' if place else 'of which there are none'}"
        )
    return int(part)
