"""What all sections of the configuration share."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from typing_extensions import Self

from dali_voc._config_errors import one_line_per_error
from dali_voc._config_tree import copy_tree
from dali_voc.errors import ConfigError

__all__ = [
    "ListToTuple",
    "PathText",
    "Section",
    "ShortSection",
    "Unit",
    "ascending",
    "expanded",
    "requires",
]

Unit = Annotated[float, Field(ge=0, le=1)]
ListToTuple = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)


def _path_to_str(value: Any) -> Any:
    if isinstance(value, str) and value == "None":
        raise ValueError("expected a path; what Python calls None is null in YAML")
    return os.fspath(value) if isinstance(value, os.PathLike) else value


PathText = Annotated[
    str,
    BeforeValidator(_path_to_str),
    WithJsonSchema({"type": "string", "not": {"const": "None"}}),
]


def ascending(value: tuple[float, float] | None) -> tuple[float, float] | None:
    """Refuse a range whose end is before its beginning."""
    if value is not None and value[0] > value[1]:
        raise ValueError("expected the smaller number first")
    return value


def expanded(path: str) -> Path:
    """Return a path with `~` and `$VARIABLES` replaced."""
    return Path(os.path.expanduser(os.path.expandvars(path)))


def requires(key: str, found: dict[str, Any], other: str, allowed: dict[str, Any]) -> Any:
    """Return a condition between two keys, for the JSON Schema; validators check the same."""
    return {
        "if": {"properties": {key: found}, "required": [key]},
        "then": {"properties": {other: allowed}},
    }


class Section(BaseModel):
    """Checked strictly, and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy in which some keys have other values, checked as those of a file are.

        Raises:
            ConfigError: a key is not known, or a value is wrong; pydantic's own does not look.
        """
        if not update:
            return super().model_copy(deep=deep)
        values = {name: getattr(self, name) for name in self.model_fields_set}
        values = (copy.deepcopy(values) if deep else values) | copy_tree(update)
        try:
            return type(self).model_validate(values)
        except ValidationError as e:
            lines = one_line_per_error(e, type(self), type(self).__name__)
            raise ConfigError("\n".join(lines)) from None

    def __hash__(self) -> int:
        """Of dictionaries only the keys count, in no order, as for equality they have none."""
        values = vars(self).values()
        hashable = (frozenset(v) if isinstance(v, Mapping) else v for v in values)
        return hash((type(self), *hashable))


class ShortSection(Section):
    """A section that the value of one of its keys may stand for: `cache: decoded`.

    Attributes:
        short_for: that key.
    """

    short_for: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _spelled_out(cls, section: Any) -> Any:
        return {cls.short_for: section} if isinstance(section, str) else section
