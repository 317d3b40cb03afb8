"""Parts of a JSON Schema in words, as people who write YAML say them."""

from __future__ import annotations

import math
from typing import Any

import yaml

__all__ = ["type_in_words", "value_in_yaml"]

Schema = dict[str, Any]


def type_in_words(schema: Schema) -> str:
    """Return what a value may be, in Markdown: "integer, 1 to 64, or `auto`"."""
    if "anyOf" in schema:
        return _one_of_kinds(schema["anyOf"])
    if "enum" in schema or "const" in schema:
        *others, last = (f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
        return f"{', '.join(others)} or {last}" if others else last
    return _noun(schema) + _bounds(schema)


def value_in_yaml(value: Any) -> str:
    """Return a value as it stands in a YAML file, in one line: `[0.5, 2.0]`, `null`, `auto`."""
    text = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf
    )
    return text.removesuffix("...\n").strip()


def _one_of_kinds(kinds: list[Schema]) -> str:
    if {"type": "string"} in kinds:  # names beside it are suggestions
        kinds = [kind for kind in kinds if "enum" not in kind]
    *others, last = map(type_in_words, kinds)
    comma = "," if any("," in words for words in others) else ""
    return f"{', '.join(others)}{comma} or {last}" if others else last


def _noun(schema: Schema, *, plural: bool = False) -> str:
    if "$ref" in schema:
        noun = "section"
    elif schema["type"] == "null":
        return "`null`"
    elif schema["type"] == "boolean":
        return "`true` or `false`"
    elif schema["type"] == "object":
        return f"mapping (to {type_in_words(schema['additionalProperties'])})"
    elif schema["type"] == "array":
        items, least = schema["items"], schema.get("minItems")
        length = least if least == schema.get("maxItems") else None
        number = f"{length} " if length else ""
        return f"list of {number}{_noun(items, plural=True)}{_bounds(items)}"
    else:
        noun = schema["type"]
    return noun + "s" * plural


def _bounds(schema: Schema) -> str:
    low, above, high = (schema.get(bound) for bound in ("minimum", "exclusiveMinimum", "maximum"))
    if above is not None:
        return f" > {_number(above)}" + (f", at most {_number(high)}" if high is not None else "")
    if low is None:
        return ""
    return f" ≥ {_number(low)}" if high is None else f", {_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    """Return a number without an exponent."""
    return str(value) if isinstance(value, int) else f"{value:.9f}".rstrip("0").rstrip(".")
