"""Calls into the compiled library."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path

import torch

from dali_voc.errors import DaliVocError
from dali_voc.ops._plugin import open_library

__all__ = ["KernelError", "call", "ints", "memory", "ptx_images", "use_driver"]

_ERROR_SIZE = 1024


class KernelError(DaliVocError):
    """A kernel could not be launched."""


def call(function: str, *arguments: object) -> None:
    """Call a function that tells of errors by its last two arguments."""
    error = ctypes.create_string_buffer(_ERROR_SIZE)
    if getattr(open_library(), function)(*arguments, error, ctypes.c_size_t(_ERROR_SIZE)):
        raise KernelError(error.value.decode(errors="replace"))


def use_driver(path: Path | None) -> None:
    """Take another CUDA driver than the machine's; None: that again."""
    call("dali_voc_use_driver", None if path is None else str(path).encode())


def ptx_images() -> dict[str, str]:
    """Return the kernels as they are given to the driver, by the name of their source."""
    names = (ctypes.c_char_p * 64)()
    texts = (ctypes.c_char_p * 64)()
    number = open_library().dali_voc_ptx_images(names, texts, 64)
    return {(names[i] or b"").decode(): (texts[i] or b"").decode() for i in range(number)}


def ints(values: Sequence[int]) -> ctypes.Array[ctypes.c_int]:
    """Return an array of C's."""
    return (ctypes.c_int * len(values))(*values)


def memory(scratch: torch.Tensor, stream: int) -> tuple[object, ...]:
    """Return a launcher's arguments for its memory: where, how much, and on which stream."""
    size = ctypes.c_size_t(scratch.numel() * scratch.element_size())
    return ctypes.c_void_p(scratch.data_ptr()), size, ctypes.c_void_p(stream)
