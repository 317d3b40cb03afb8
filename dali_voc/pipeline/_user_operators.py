"""Graph: DALI operators of the user's own, named in the configuration as `module:function`."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvidia import dali
from nvidia.dali import fn, types

from dali_voc.augment import USER_NUMBERS
from dali_voc.errors import ConfigError
from dali_voc.ops._types import Dtype, dali_type

__all__ = ["UserOperator", "failure_of_theirs"]

_NOT_THEIRS = (Path(__file__).parents[1], Path(dali.__file__).parent)


@dataclass(frozen=True, kw_only=True)
class UserOperator:
    """A function that takes and returns an image and a label node.

    Attributes:
        name: `module:function`.
        function: what that names.
        wants_numbers: whether its third parameter is the sample's random numbers.
    """

    name: str
    function: Callable[..., Any]
    wants_numbers: bool

    @classmethod
    def find(cls, name: str) -> UserOperator:
        """Import the function that `module:function` names.

        Raises:
            ConfigError: it cannot be imported, is not there, or cannot be called so.
        """
        module_name, _, function_name = name.partition(":")
        found = f"augment.operators: found '{name}', but"
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as e:  # the user's module may do anything
            raise ConfigError(
                f"{found} {module_name} cannot be imported ({e}); "
                "Python has to find it: install it, or put its folder on PYTHONPATH"
            ) from e
        function = getattr(module, function_name, None)
        if not callable(function):
            raise ConfigError(f"{found} {module_name} has no function {function_name}")
        for count in (2, 3):
            try:
                inspect.signature(function).bind(*range(count))
            except (TypeError, ValueError):  # or there is none to look at, as of `max`
                continue
            return cls(name=name, function=function, wants_numbers=count == 3)
        raise ConfigError(f"{found} it does not take (image, label) or (image, label, numbers)")

    def numbers(self, node: Any, place: int) -> tuple[Any, ...]:
        """Return what comes after image and label; `place` is among the operators."""
        if not self.wants_numbers:
            return ()
        return (node[place * USER_NUMBERS : (place + 1) * USER_NUMBERS],)

    def check(
        self, result: Any, *, crop_size: tuple[int, int], label_dtype: Dtype
    ) -> tuple[Any, Any]:
        """Return what the function returned, if that are pictures and labels of the crop's size.

        Labels have the type again that they had: arithmetic may have made another of it. Larger
        values become the largest of that type.

        Raises:
            ConfigError: it is not a pair. Another size, or pictures of another type, are an error
                of the running pipeline.
        """
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise ConfigError(
                f"augment.operators: {self.name} returned {type(result).__name__}, "
                "expected (image, label)"
            )
        image, label = result
        label = fn.cast(label, dtype=dali_type(label_dtype))
        # bytes stay bytes, and all else gets or has more of them than the picture may have
        image = image + types.Constant(0, dtype=types.UINT8)
        return (
            fn.reinterpret(image, shape=[*crop_size, 3], layout="HWC", dtype=types.UINT8),
            fn.reshape(label, shape=list(crop_size), layout="HW"),
        )


def failure_of_theirs(error: Exception, operators: Sequence[UserOperator]) -> ConfigError | None:
    """Return what to raise where a function of the user's failed as it was put into the graph.

    AutoGraph has written into the error's text where that was. None: it was not such a function.
    """
    frames = re.findall(r'^ *File "(.+)", line (\d+), in (\S+)', str(error), re.MULTILINE)
    own = {
        getattr(sys.modules.get(one.name.partition(":")[0]), "__file__", "") for one in operators
    }
    beside = [f for f in frames if not any(Path(f[0]).is_relative_to(p) for p in _NOT_THEIRS)]
    # rather in a module of an operator than in what it has called, such as Python's own
    theirs = [frame for frame in beside if frame[0] in own] or beside
    if not theirs or not operators:
        return None
    file, line, function = theirs[-1]
    name = "an operator" if function == "None" else function
    what = " ".join(str(error).strip().rpartition("\n\n")[2].split())
    return ConfigError(f"augment.operators: {name} ({file}, line {line}) failed: {what}")
