"""Graph: DALI operators of the user's own, named in the configuration as `module:function`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from dali_voc.errors import ConfigError

__all__ = ["find_operator"]


def find_operator(name: str) -> Callable[[Any, Any], tuple[Any, Any]]:
    """Return the function that `module:function` names.

    Raises:
        ConfigError: it cannot be imported, is not there, or cannot be called.
    """
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ImportError as e:
        raise ConfigError(
            f"augment.operators: found {name!r}, but {module_name} cannot be imported ({e}); "
            "its folder has to be on PYTHONPATH"
        ) from e
    found = getattr(module, function_name, None)
    if not callable(found):
        raise ConfigError(
            f"augment.operators: found {name!r}, but {module_name} has no function {function_name}"
        )
    return found  # type: ignore[no-any-return]
