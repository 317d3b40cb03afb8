"""Turns pydantic's errors into one line each: key, what was found, what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dali_voc._near_match import near_match

__all__ = ["brief", "one_line_per_error"]

_LONGEST = 200  # characters of a value in an error

# what pydantic calls what YAML has
_IN_YAML = {
    "tuple should": "list should",
    " after validation": "",
    "a valid tuple": "a list",
    "a valid dictionary": "keys with values",
}

# what other loaders call what a key here does
_ELSEWHERE = {
    "cat_max_ratio": "augment.category_max_ratio",
    "drop_last": "loader.last_batch: drop",
    "id2label": "dataset.classes",
    "num_workers": "loader.threads",
    "persistent_workers": "nothing: threads stay",
    "pin_memory": "nothing: copies to a GPU wait for nobody",
    "prefetch_factor": "loader.prefetch",
    "ratio_range": "augment.scale",
    "reduce_zero_label": "dataset.labels: reduce_zero_label",
    "shuffle": "the argument training of build_loader",
    "size": "augment.crop_size",
    "transform": "section augment",
    "workers": "loader.threads",
}


def one_line_per_error(
    error: ValidationError,
    model: type[BaseModel],
    source: str,
    *,
    overridden: Sequence[tuple[str, ...]] = (),
) -> Iterator[str]:
    """Yield a line for each problem; unions report once per branch and are joined to one.

    Args:
        error: what pydantic raised.
        model: of the whole configuration.
        source: what the configuration is called.
        overridden: paths of keys that overrides have given; their problems are these overrides'.
    """
    seen: dict[tuple[str, ...], list[ErrorDetails]] = {}
    for detail in error.errors():
        # pydantic appends the branch of a union ("int", "literal['auto']") to the location
        parts = tuple(str(part) for part in detail["loc"])
        seen.setdefault(_key_path(model, parts), []).append(detail)
    for parts, details in seen.items():
        if any(parts[: len(key)] == key for key in overridden):
            where = "override "
        elif any(key[: len(parts)] == parts for key in overridden):  # of a part of it
            where = f"{source} with overrides: "
        else:
            where = f"{source}: "
        key = f"{_dotted(parts)}: " if parts else ""  # else it is of the model's keys together
        yield f"{where}{key}{_explain(details, model, parts)}"


def _dotted(parts: tuple[str, ...]) -> str:
    """Return a key's path as errors have it: `dataset.sources[0].name`."""
    return "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in parts).lstrip(".")


def _key_path(model: type[BaseModel], parts: tuple[str, ...]) -> tuple[str, ...]:
    section, depth = _walk(model, parts)
    key, index = parts[depth : depth + 1], parts[depth + 1 : depth + 2]
    if not key or key[0] not in section.model_fields:
        return parts
    return parts[: depth + 2] if index and index[0].isdigit() else parts[: depth + 1]


def _walk(model: type[BaseModel], parts: tuple[str, ...]) -> tuple[type[BaseModel], int]:
    """Return the innermost section that a path enters, and how many of its parts lead there."""
    depth = 0
    while depth < len(parts):
        field = model.model_fields.get(parts[depth])
        inner = field.annotation if field else None
        is_list = get_origin(inner) is tuple
        inner = get_args(inner)[0] if is_list else inner
        step = 2 if is_list else 1  # a list's item has a number, too
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        if depth + step > len(parts):
            break
        model, depth = inner, depth + step
    return model, depth


def _explain(details: list[ErrorDetails], model: type[BaseModel], parts: tuple[str, ...]) -> str:
    first = details[0]
    if first["type"] == "extra_forbidden":
        known = _walk(model, parts[:-1])[0].model_fields
        return f"unknown key{_meant(parts[-1], known, model)} (known: {', '.join(known)})"
    if first["type"] == "missing":
        return f"missing, expected {_description(model, parts)}"
    if {detail["type"] for detail in details} <= {"tuple_type", "none_required"}:
        return f"found {brief(first['input'])}, expected a list: {_description(model, parts)}"
    wanted = " or ".join(dict.fromkeys(_wanted(detail) for detail in details))
    found = list(first["input"]) if isinstance(first["input"], tuple) else first["input"]
    if _walk(model, parts)[1] == len(parts) and first["type"] == "value_error":
        return wanted  # of several keys of a section, which it names
    return f"found {brief(found)}, {wanted.replace(' or expected ', ' or ')}"


def brief(value: Any) -> str:
    """Return a value as it stands in Python, the middle of a long one left out."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 30]} ... {text[-25:]}"


def _meant(key: str, known: Iterable[str], model: type[BaseModel]) -> str:
    """Return what a key may have meant that is not known where it stands."""
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and key in getattr(section, "model_fields", ()):
            return f"; it is a key of section '{name}'"
    if key in _ELSEWHERE:
        return f"; here it is {_ELSEWHERE[key]}"
    return near_match(key, known)


def _description(model: type[BaseModel], parts: tuple[str, ...]) -> str:
    key = parts[-2] if parts[-1].isdigit() else parts[-1]  # a list that is too short, or a key
    field = _walk(model, parts[:-1])[0].model_fields.get(key)
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
    if detail["type"] == "too_short" and context["actual_length"] == 0:
        return "expected at least one"
    if detail["type"] in ("model_type", "model_attributes_type"):
        return "expected a section of keys"
    message = detail["msg"][0].lower() + detail["msg"][1:]
    for pydantics, ours in _IN_YAML.items():
        message = message.replace(pydantics, ours)
    return message.replace("input should be", "expected")
