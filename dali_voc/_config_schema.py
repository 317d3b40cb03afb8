"""A JSON Schema of the configuration, by which editors complete and check YAML files.

It is as strict as `load_config` where JSON Schema can say it. What it cannot say: sums and
comparisons of values (shares of mixing, ranges that ascend, `stride` within `crop_size`), and that
8.0 is no integer. Names of data sets are suggested, not demanded: packages may bring their own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dali_voc.config import SHORT_SECTIONS, Config

__all__ = ["SCHEMA_FILE", "config_schema", "schema_text"]

SCHEMA_FILE = Path(__file__).with_name("config.schema.json")
"""The schema with the data sets of this package, which files in `configs` name."""

Schema = dict[str, Any]


def schema_text(names: Sequence[str]) -> str:
    """Return the schema as the text of a file; `names` as in `config_schema`."""
    return json.dumps(config_schema(names), indent=2, ensure_ascii=False) + "\n"


def config_schema(names: Sequence[str]) -> Schema:
    """Return the schema of a configuration file, draft 2020-12.

    Args:
        names: of data sets, to suggest.
    """
    root: Schema = _tidy(Config.model_json_schema())
    sections = root.pop("$defs")
    for section in "DatasetConfig", "SourceConfig":
        name = sections[section]["properties"]["name"]
        name["anyOf"] = [{"enum": list(names)}, {"type": name.pop("type")}]
    for key, reference in root["properties"].items():
        reference.pop("default", None)  # each key of the section has its own
        section = sections[reference["$ref"].rpartition("/")[2]]
        if key in SHORT_SECTIONS:
            short = section["properties"][SHORT_SECTIONS[key]]
            root["properties"][key] = {
                "description": section.pop("description"),
                "anyOf": [{"type": "string", "enum": short["enum"]}, reference],
            }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of dali_voc",
        **root,
        "$defs": sections,
    }


def _tidy(node: Any) -> Any:
    """Return a part of pydantic's schema without titles, and said as plainly as possible."""
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(value) for key, value in node.items() if not _is_title(key, value)}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = "\n\n".join(
            " ".join(paragraph.split()) for paragraph in tidy["description"].split("\n\n")
        )
    items = tidy.get("prefixItems")
    if items and all(item == items[0] for item in items):
        del tidy["prefixItems"]
        tidy["items"] = items[0]  # which editors know that do not know prefixItems
    return tidy


def _is_title(key: str, value: Any) -> bool:
    return key == "title" and isinstance(value, str)
