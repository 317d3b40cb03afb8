"""Pixels of one sample into another: on a CPU by NumPy, on a GPU by PyTorch.

PyTorch would share out each step on a CPU among threads of its own, which then wait for cores that
decode the next batch.
"""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Pixels", "as_pixels", "copy", "count", "mask_of", "paste"]

Pixels: TypeAlias = "npt.NDArray[Any] | torch.Tensor"


def as_pixels(batch: torch.Tensor) -> Pixels:
    """Return the batch, in the same memory; bfloat16 on a CPU as bits."""
    if batch.device.type != "cpu":
        return batch
    as_bits = batch.dtype == torch.bfloat16
    values: npt.NDArray[Any] = (batch.view(torch.int16) if as_bits else batch).numpy()
    return values


def copy(pixels: Pixels) -> Pixels:
    return pixels.copy() if isinstance(pixels, np.ndarray) else pixels.clone()


def count(label: Pixels) -> list[int]:
    """Return how many pixels have each value, up to the largest that occurs."""
    flat = label.reshape(-1)
    counts = np.bincount(flat) if isinstance(flat, np.ndarray) else torch.bincount(flat)
    values: list[int] = counts.tolist()
    return values


def mask_of(label: Pixels, taken: npt.NDArray[np.bool_]) -> Pixels:
    """Return which pixels have a value that is taken; `taken` says that of each value."""
    if isinstance(label, np.ndarray):
        mask: npt.NDArray[np.bool_] = taken[label]
        return mask
    return torch.from_numpy(taken).to(label.device)[label.long()]


def paste(source: Pixels, target: Pixels, where: tuple[slice, slice] | Pixels) -> None:
    """Put what the source shows in a rectangle, or where a mask says so, into the target."""
    if isinstance(where, tuple):
        target[(..., *where)] = source[(..., *where)]  # type: ignore[assignment]
    elif isinstance(target, np.ndarray):
        np.copyto(target, source, where=where)
    else:
        mask, shown = cast(torch.Tensor, where), cast(torch.Tensor, source)
        torch.where(mask, shown, target, out=target)
