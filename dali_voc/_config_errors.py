"""Turns pydantic's errors into one line each: key, what was found, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

__all__ = ["near_match", "one_line_per_error"]


def near_match(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing where no known word is near."""
    found = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def one_line_per_error(
    error: ValidationError, model: type[BaseModel], source: str
) -> Iterator[str]:
    """Yield a line for each problem; unions report once per branch and are joined to one."""
    seen: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in error.errors():
        # pydantic appends the branch of a union ("int", "literal['auto']") to the location
        parts = tuple(str(part) for part in detail["loc"])
        seen.setdefault(_key_path(model, parts), []).append(detail)
    for parts, details in seen.items():
        yield f"{source}: {'.'.join(parts)}: {_explain(details, model, parts)}"


def _key_path(model: type[BaseModel], parts: tuple[str, ...]) -> tuple[str, ...]:
    section = _section(model, parts[:1])
    if section is None or len(parts) < 3 or parts[1] not in section.model_fields:
        return parts
    return parts[:3] if parts[2].isdigit() else parts[:2]


def _section(model: type[BaseModel], parts: tuple[str, ...]) -> type[BaseModel] | None:
    for part in parts:
        field = model.model_fields.get(part)
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None
        model = inner
    return model


def _explain(details: list[ErrorDetails], model: type[BaseModel], parts: tuple[str, ...]) -> str:
    first = details[0]
    if first["type"] == "extra_forbidden":
        section = _section(model, parts[:-1])
        known = section.model_fields if section else {}
        return f"unknown key{near_match(parts[-1], known)} (known: {', '.join(known)})"
    if first["type"] == "missing":
        return f"missing, expected {_description(model, parts)}"
    wanted = " or ".join(dict.fromkeys(_wanted(detail) for detail in details))
    return f"found {first['input']!r}, {wanted}"


def _description(model: type[BaseModel], parts: tuple[str, ...]) -> str:
    section = _section(model, parts[:-1])
    field = section.model_fields.get(parts[-1]) if section else None
    return (field.description if field else None) or "a section of keys"


def _wanted(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "literal_error":
        text = f"expected {context['expected']}"
        allowed = [
            word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")
        ]
        return text + near_match(str(detail["input"]), allowed)
    if detail["type"] == "value_error":
        return str(context["error"])
    if detail["type"] in ("model_type", "model_attributes_type"):
        return "expected a section of keys"
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return message.replace("input should be", "expected")
