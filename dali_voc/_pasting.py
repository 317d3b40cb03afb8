"""Pixels of one sample into another: on a CPU by NumPy, on a GPU by PyTorch.

PyTorch would share out each step on a CPU among threads of its own, which then wait for cores that
decode the next batch. On a GPU nothing that is computed there is looked at by the host, which would
have to wait for it.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Pixels", "as_pixels", "copy", "find_present", "mask_of", "paste", "rank", "to_device"]

Pixels: TypeAlias = "npt.NDArray[Any] | torch.Tensor"


def as_pixels(batch: torch.Tensor) -> Pixels:
    """Return the batch, in the same memory; bfloat16 on a CPU as bits."""
    if batch.device.type != "cpu":
        return batch
    as_bits = batch.dtype == torch.bfloat16
    values: npt.NDArray[Any] = (batch.view(torch.int16) if as_bits else batch).numpy()
    return values


def to_device(array: npt.NDArray[Any], like: Pixels) -> Pixels:
    """Return an array where pixels are; the host does not wait for the copy."""
    if isinstance(like, np.ndarray):
        return array
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if like.device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(like.device, non_blocking=True)


def copy(pixels: Pixels) -> Pixels:
    return pixels.copy() if isinstance(pixels, np.ndarray) else pixels.clone()


def find_present(label: Pixels, size: int) -> Pixels:
    """Return which of the values below `size` a label shows: bool [size]."""
    if isinstance(label, np.ndarray):
        present: npt.NDArray[np.bool_] = np.bincount(label.reshape(-1), minlength=size) > 0
        return present[:size]
    found = torch.zeros(size + 1, dtype=torch.bool, device=label.device)
    found[label.reshape(-1).long().clamp(max=size)] = True
    return found[:size]


def rank(keys: Pixels) -> Pixels:
    """Return the place of each key in their order; of equal ones, the earlier comes first."""
    if isinstance(keys, np.ndarray):
        return np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    return keys.argsort(stable=True).argsort(stable=True)


def mask_of(label: Pixels, taken: Pixels) -> Pixels:
    """Return which pixels have a value that is taken; `taken` says so of the lowest values."""
    size = len(taken)
    if isinstance(label, np.ndarray):
        table = np.zeros(max(size, int(label.max(initial=0)) + 1), np.bool_)
        table[:size] = taken
        mask: npt.NDArray[np.bool_] = table[label]
        return mask
    there = torch.zeros(size + 1, dtype=torch.bool, device=label.device)
    there[:size] = cast(torch.Tensor, taken)
    return there[label.long().clamp(max=size)]


def paste(source: Pixels, target: Pixels, where: tuple[slice, slice] | Pixels) -> None:
    """Put what the source shows in a rectangle, or where a mask says so, into the target."""
    if isinstance(where, tuple):
        target[(..., *where)] = source[(..., *where)]  # type: ignore[assignment]
    elif isinstance(target, np.ndarray):
        np.copyto(target, source, where=where)
    else:
        mask, shown = cast(torch.Tensor, where), cast(torch.Tensor, source)
        torch.where(mask, shown, target, out=target)
