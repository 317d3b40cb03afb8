"""Values of configuration keys for hypothesis, drawn from the configuration's JSON Schema."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import strategies as st

from dali_voc._config_schema import config_schema
from dali_voc.datasets import DATASETS

SCHEMA = config_schema(tuple(DATASETS))
DEFS = SCHEMA["$defs"]
AWKWARD = [
    *(
        "",
        " ",
        "auto",
        "null",
        "None",
        "8",
        "1e3",
        "1.0e-3",
        "0x1f",
        "yes",
        "~",
        "=",
        "*",
        "#804080",
    ),
    *("128, 64, 128", "a: b", "- a", "{split}/**/*.jpg", "two\nlines", "caf\u00e9", "\u2028\x85"),
    *("'", '"', "\\", "\t", "\x00\ud800", "\U0001f6b2", "2012-01-01", "12:30:45", "<<", "!x", "%"),
]
TEXT = st.sampled_from(AWKWARD) | st.text(max_size=6)
OPERATORS = st.sampled_from(
    ["m:f", "a.b:c", "_1.b:c_", "mf", "m:f:g", ":f", "m:", "m n:f", "m-n:f"]
)


def sections() -> dict[str, dict[str, Any]]:
    """Name of each section -> its part of the schema."""
    found = {}
    for name, part in SCHEMA["properties"].items():
        reference = part.get("$ref") or part["anyOf"][-1]["$ref"]
        found[name] = DEFS[reference.rpartition("/")[2]]
    return found


def values(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """What a part of the schema takes; that conditions between keys are met is not promised."""
    if "anyOf" in schema:
        return st.one_of(values(kind) for kind in schema["anyOf"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if "$ref" in schema:
        return values(DEFS[schema["$ref"].rpartition("/")[2]])
    if "pattern" in schema:
        return OPERATORS
    return BY_TYPE[schema["type"]](schema)


def _number(schema: dict[str, Any]) -> st.SearchStrategy[float]:
    low, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    return st.floats(
        low if above is None else above,
        schema.get("maximum"),
        exclude_min=above is not None,
        allow_nan=False,
        allow_infinity=False,
    )


def _list(schema: dict[str, Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(
        values(schema["items"]),
        min_size=schema.get("minItems", 0),
        max_size=schema.get("maxItems", 3),
    )


def _object(schema: dict[str, Any]) -> st.SearchStrategy[dict[Any, Any]]:
    if "properties" not in schema:  # a map: values, colours and names
        keys = st.integers(0, 70000) | TEXT
        return st.dictionaries(keys, values(schema["additionalProperties"]), max_size=4)
    parts = {key: values(part) for key, part in schema["properties"].items()}
    required = {key: parts.pop(key) for key in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=parts)


BY_TYPE = {
    "null": lambda _: st.none(),
    "boolean": lambda _: st.booleans(),
    "string": lambda _: TEXT,
    "integer": lambda s: st.integers(s.get("minimum"), s.get("maximum")),
    "number": _number,
    "array": _list,
    "object": _object,
}


@st.composite
def overrides(draw: st.DrawFn) -> list[str]:
    """Some `section.key=value`, each of them possible by itself."""
    found = []
    for _ in range(draw(st.integers(0, 5))):
        section, part = draw(st.sampled_from(list(sections().items())))
        key = draw(st.sampled_from(list(part["properties"])))
        value = draw(values(part["properties"][key]))
        text = yaml.safe_dump(value, default_flow_style=True, width=1e9)
        found.append(f"{section}.{key}={text}")
    return found
