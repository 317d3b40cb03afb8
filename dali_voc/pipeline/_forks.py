"""Keeps pipelines out of the hands of forked children."""

from __future__ import annotations

import os
import weakref

from nvidia.dali import Pipeline

__all__ = ["keep_in_children"]

_pipelines: weakref.WeakSet[Pipeline] = weakref.WeakSet()
_inherited: list[Pipeline] = []


def keep_in_children(pipeline: Pipeline) -> None:
    """Let processes that are forked from this one never end this pipeline.

    A child, such as a worker of PyTorch's DataLoader, has the pipeline but not its threads. If
    Python's garbage collector ends it there, DALI waits for them for ever.
    """
    _pipelines.add(pipeline)


os.register_at_fork(after_in_child=lambda: _inherited.extend(_pipelines))
