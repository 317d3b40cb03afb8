"""Keeps pipelines out of the hands of forked children."""

from __future__ import annotations

import ctypes
import os
import weakref

from nvidia.dali import Pipeline

__all__ = ["keep_in_children"]

_pipelines: weakref.WeakSet[Pipeline] = weakref.WeakSet()


def keep_in_children(pipeline: Pipeline) -> None:
    """Let processes that are forked from this one never end this pipeline.

    A child, such as a worker of PyTorch's DataLoader, has the pipeline but not its threads. If
    Python's garbage collector ends it there, or DALI or the interpreter when the child ends, they
    are waited for for ever.
    """
    _pipelines.add(pipeline)


def _keep_all() -> None:
    for pipeline in list(_pipelines):
        # a reference that nobody gives back, as an interpreter that ends does with all others
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(pipeline))
        # those that DALI ends at the end
        getattr(Pipeline, "_pipes", set()).discard(weakref.ref(pipeline))


os.register_at_fork(after_in_child=_keep_all)
