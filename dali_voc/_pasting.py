"""Pixels of samples into others of their batch: on a CPU by NumPy, on a GPU by PyTorch.

PyTorch would share out each step on a CPU among threads of its own, which then wait for cores that
decode the next batch. On a GPU many samples share a step, as each step costs the host time; and the
host looks at nothing that is computed there, for which it would have to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["Choose", "Pastes", "paste_by_numpy", "paste_by_torch", "rank"]

_TOGETHER = 32  # samples in a step, beside what all partners were before

# Returns which classes are taken, bool [..., classes], of which ones a label shows among those that
# are allowed, `Pastes.keys` and `Pastes.takes_half`; for arrays and tensors alike.
Choose: TypeAlias = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, kw_only=True)
class Pastes:
    """Who gets pixels of whom, in order; what is given is what was there before all of them.

    Attributes:
        targets: samples that get some, each once, int64 [m].
        partners: samples whose pixels they get, int64 [m].
        rectangles: first and last row, first and last column, the last ones excluded, int64 [m, 4].
        by_class: which of them take classes instead, bool [m].
        keys: numbers that decide which classes, float32 [m, classes].
        allowed: which classes they may take at all, bool [m, classes].
        takes_half: in which way it is decided, bool [m].
    """

    targets: npt.NDArray[np.int64]
    partners: npt.NDArray[np.int64]
    rectangles: npt.NDArray[np.int64]
    by_class: npt.NDArray[np.bool_]
    keys: npt.NDArray[np.float32]
    allowed: npt.NDArray[np.bool_]
    takes_half: npt.NDArray[np.bool_]


def paste_by_numpy(
    images: torch.Tensor, labels: torch.Tensor, pastes: Pastes, choose: Choose
) -> None:
    """Paste in place, on a CPU.

    Args:
        images: [n, 3, height, width].
        labels: class indices [n, height, width].
        pastes: who gets pixels of whom; values of labels that are no class are never taken.
        choose: which classes are taken.
    """
    # NumPy has no bfloat16, whose bits do
    as_bits = images.dtype == torch.bfloat16
    batch = (images.view(torch.int16) if as_bits else images).numpy(), labels.numpy()
    last_use = {partner: k for k, partner in enumerate(pastes.partners.tolist())}
    originals: dict[int, tuple[npt.NDArray[Any], ...]] = {}
    pairs = zip(pastes.targets.tolist(), pastes.partners.tolist(), strict=True)
    for k, (i, partner) in enumerate(pairs):
        own = tuple(values[i] for values in batch)
        if last_use.get(i, 0) > k:
            originals[i] = tuple(values.copy() for values in own)
        other = originals.get(partner) or tuple(values[partner] for values in batch)
        if pastes.by_class[k]:
            allowed = pastes.allowed[k]
            present = np.bincount(other[1].reshape(-1), minlength=len(allowed)) > 0
            taken = np.zeros_like(present)
            taken[: len(allowed)] = choose(
                present[: len(allowed)] & allowed, pastes.keys[k], pastes.takes_half[k]
            )
            mask = taken[other[1]]
            for source, target in zip(other, own, strict=True):
                np.copyto(target, source, where=mask)
        else:
            top, bottom, left, right = pastes.rectangles[k]
            for source, target in zip(other, own, strict=True):
                target[..., top:bottom, left:right] = source[..., top:bottom, left:right]


def paste_by_torch(
    images: torch.Tensor, labels: torch.Tensor, pastes: Pastes, choose: Choose
) -> None:
    """Paste in place, on a GPU; as `paste_by_numpy`."""
    device = labels.device
    targets, partners = (_to_device(a, device) for a in (pastes.targets, pastes.partners))
    mask = _rectangles(pastes.rectangles, labels)
    chosen = np.flatnonzero(pastes.by_class)
    arrays = pastes.partners, pastes.keys, pastes.allowed, pastes.takes_half
    places = _to_device(chosen, device)
    givers, keys, allowed, half = (_to_device(array[chosen], device) for array in arrays)
    for begin in range(0, len(chosen), _TOGETHER):
        part = slice(begin, begin + _TOGETHER)
        theirs = labels.index_select(0, givers[part])
        values, present = _look_at(theirs, allowed.shape[1])
        present[:, :-1] = choose(present[:, :-1] & allowed[part], keys[part], half[part])
        present[:, -1] = False
        mask.index_copy_(0, places[part], present.gather(1, values).view(theirs.shape))
    for values in images, labels:
        originals = values.index_select(0, partners)
        where = mask[:, None] if values.dim() == 4 else mask
        for begin in range(0, len(targets), _TOGETHER):
            part = slice(begin, begin + _TOGETHER)
            own = values.index_select(0, targets[part])
            values.index_copy_(0, targets[part], torch.where(where[part], originals[part], own))


def _rectangles(sides: npt.NDArray[np.int64], labels: torch.Tensor) -> torch.Tensor:
    """Return which pixels are inside, bool [m, height, width]."""
    top, bottom, left, right = _to_device(sides, labels.device).T[:, :, None]
    rows, columns = (torch.arange(size, device=labels.device) for size in labels.shape[1:])
    in_rows = (rows >= top) & (rows < bottom)
    in_columns = (columns >= left) & (columns < right)
    inside: torch.Tensor = in_rows[:, :, None] & in_columns[:, None, :]
    return inside


def _look_at(labels: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return class indices [k, pixels], all that is no class as one more, and which occur.

    That is bool [k, classes + 1].
    """
    k = len(labels)
    values = labels.reshape(k, -1).long().clamp(max=classes)
    present = torch.zeros(k, classes + 1, dtype=torch.bool, device=labels.device)
    first = torch.arange(k, device=labels.device)[:, None] * (classes + 1)
    # for a number of Python's the host would wait until it is on the GPU
    yes = torch.ones((), dtype=torch.bool, device=labels.device)
    present.view(-1).index_put_(((values + first).view(-1),), yes)
    return values, present


def _to_device(array: npt.NDArray[Any], device: torch.device) -> torch.Tensor:
    """Return an array as a tensor there; the host does not wait for the copy."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def rank(keys: Any) -> Any:
    """Return the place of each key in its row's order; of equal ones, the earlier comes first."""
    if isinstance(keys, np.ndarray):
        return np.argsort(np.argsort(keys, axis=-1, kind="stable"), axis=-1, kind="stable")
    return keys.argsort(dim=-1, stable=True).argsort(dim=-1, stable=True)
