"""Calls an operator in the graph that is being defined, or at once in DALI's dynamic mode."""

from __future__ import annotations

import sys
from typing import Any

import nvidia.dali.fn

from dali_voc.errors import PluginError
from dali_voc.ops._plugin import load_plugin

__all__ = ["call", "is_on_gpu"]

_DYNAMIC = "nvidia.dali.experimental.dynamic"


def call(name: str, *inputs: Any, **arguments: Any) -> Any:
    """Return what operator `dali_voc.NAME` makes of nodes, or of tensors and batches.

    Arguments that are None are not given.

    Raises:
        PluginError: the operators cannot be loaded, or were loaded after the dynamic mode was
            imported, which knows only those that were there.
    """
    load_plugin()
    arguments = {key: value for key, value in arguments.items() if value is not None}
    dynamic = sys.modules.get(_DYNAMIC)  # who has such a tensor has imported it
    given = (*inputs, *arguments.values())
    if dynamic is None or not any(isinstance(x, (dynamic.Tensor, dynamic.Batch)) for x in given):
        # DALI has added our operators to it
        operators: Any = nvidia.dali.fn
        return getattr(operators.dali_voc, name)(*inputs, **arguments)
    if not hasattr(dynamic, "dali_voc"):
        raise PluginError(
            f"{_DYNAMIC} was imported before the operators were loaded, and does not know them; "
            "call dali_voc.ops.load_plugin() before that import"
        )
    return getattr(dynamic.dali_voc, name)(*inputs, **arguments)


def is_on_gpu(pictures: Any) -> bool:
    """Return whether nodes, tensors or batches are on a GPU."""
    device = getattr(pictures, "device", "cpu")
    return getattr(device, "device_type", device) == "gpu"
