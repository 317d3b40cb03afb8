"""A checked configuration as YAML again, such that `load_config` reads the same from it."""

from __future__ import annotations

from typing import Any

import yaml

from dali_voc._config_tree import EXPONENT
from dali_voc.config import Config

__all__ = ["config_to_tree", "config_to_yaml"]


def config_to_tree(config: Config, *, changed: bool = False) -> dict[str, Any]:
    """Return a configuration as `parse_config` takes it: dictionaries, lists, text and numbers.

    Args:
        config: the configuration.
        changed: leave out what is as the defaults have it.
    """
    tree: dict[str, Any] = _plain(config.model_dump(exclude_defaults=changed))
    return tree


def config_to_yaml(config: Config, *, changed: bool = False) -> str:
    """Return a configuration as YAML, an empty line between sections; arguments as above."""
    return "\n".join(
        yaml.dump(
            {section: keys},
            Dumper=_Dumper,
            sort_keys=False,
            allow_unicode=True,
            default_flow_style=False,
            width=100,
        )
        for section, keys in config_to_tree(config, changed=changed).items()
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_key(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _key(key: Any) -> Any:
    """Return a key of `dataset.map` as YAML has it: colours are text there."""
    return ", ".join(map(str, key)) if isinstance(key, tuple) else key


class _Dumper(yaml.SafeDumper):
    """Writes lists of numbers or words in one line, and nothing as a reference to elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def _in_one_line(self, items: list[Any]) -> yaml.SequenceNode:
        nested = any(isinstance(item, list | dict) for item in items)
        return self.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=not nested)

    def _text(self, text: str) -> yaml.ScalarNode:
        # unescaped, PyYAML reads some of these line breaks as another
        breaks = any(ch in text for ch in "\x85\u2028\u2029")
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if breaks else None)


_Dumper.add_implicit_resolver(*EXPONENT)  # what is read as a number is quoted where it is text
_Dumper.add_representer(list, _Dumper._in_one_line)
_Dumper.add_representer(str, _Dumper._text)
