"""docs/configuration.md, written from the JSON Schema: `dali-voc config --reference`."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

from dali_voc._config_schema import config_schema
from dali_voc._config_words import type_in_words, value_in_yaml

__all__ = ["reference_text"]

_INTRODUCTION = """\
<!-- Written by: dali-voc config --reference -o docs/configuration.md -->
# Configuration
A configuration is a YAML file of the sections below. Every key but `dataset.root` has a default;
[`configs/voc2012.yaml`](../configs/voc2012.yaml) shows them all. Unknown keys and impossible values
are refused, with one line for each that says what was found and what was expected.

Commands take `--set section.key=value`, the value in YAML, any number of times; in Python it is
`load_config(path, overrides=["section.key=value"])`. An item of a list is
`dataset.sources[0].root`. What is then in effect:

```bash
dali-voc config configs/voc2012.yaml --set loader.batch_size=8
dali-voc config configs/voc2012.yaml --set cache=decoded --changed
dali-voc config
```
The second leaves out what is as the defaults have it. The third, without a file, shows the
defaults. The output can be read again; `-o FILE` writes it to a file, `--json FILE` as JSON.

YAML is read as version 1.1: `yes`, `no`, `on` and `off` are true and false. Numbers with an
exponent are as in version 1.2: `1e-3`. A section that is left empty is as it would be without it.

## In an editor
A JSON Schema (draft 2020-12) says the same to editors with a YAML language server: they complete
keys and values, explain them, and mark what is wrong. The files in `configs` name it in their first
line. For files elsewhere, write it once, and name it by its path, absolute or from the YAML file:

```bash
dali-voc config --schema -o dali_voc.schema.json
```
```yaml
# yaml-language-server: $schema=dali_voc.schema.json
dataset:
  root: /data/VOCdevkit/VOC2012
```
It then also suggests data sets that installed packages add. `load_config` stays the judge: the
schema cannot compare values (ranges that ascend, shares that sum up to 1 at most, `stride` within
`crop_size`), takes any name of a data set, and takes 8.0 for an integer.
"""


def reference_text() -> str:
    """Return the page: for each section a table of its keys."""
    schema = config_schema(())
    return "\n".join([_INTRODUCTION, *_sections(schema)])


def _sections(schema: dict[str, Any]) -> Iterator[str]:
    for name, reference in schema["properties"].items():
        section = _target(schema, reference)
        text = reference.get("description") or section["description"]
        yield _section(name, text, section)
        for key, value in section["properties"].items():
            if "$ref" in value.get("items", {}):
                inner = _target(schema, value["items"])
                yield _section(f"{name}.{key}", inner["description"], inner)


def _target(schema: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    """Return the section that is referred to, by itself or beside a shorthand for it."""
    place = reference.get("$ref") or reference["anyOf"][-1]["$ref"]
    target: dict[str, Any] = schema["$defs"][place.rpartition("/")[2]]
    return target


def _section(name: str, text: str, section: dict[str, Any]) -> str:
    wrapped = [textwrap.fill(paragraph, width=100) for paragraph in text.split("\n\n")]
    heading = [f"## {name}", "\n\n".join(wrapped), ""]
    lines = [*heading, "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key, value in section["properties"].items():
        default = f"`{value_in_yaml(value['default'])}`" if "default" in value else "required"
        meaning = re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", _cell(value["description"]))
        for example in value.get("examples", [])[:1]:
            meaning += f"; example: `{value_in_yaml(example)}`"
        lines.append(f"| `{key}` | {_cell(type_in_words(value))} | {default} | {meaning} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return plain text as it stands in a table of Markdown."""
    return re.sub(r"([*|<])", r"\\\1", text)
