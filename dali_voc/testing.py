"""Checks that users can run on their own loaders."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

__all__ = ["assert_resumes_exactly"]

# what a batch holds, by where in it
_Leaves = dict[str, Any]


class StatefulLoader(Protocol):
    """What is checked: an iterable with a state, which may have `close`."""

    def __iter__(self) -> Iterator[Any]:
        """Begin an epoch, or go on with one."""

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is."""

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        """Go there."""


@dataclass(frozen=True, kw_only=True)
class _Moment:
    """A state, and how many epochs and batches lay behind it."""

    state: str
    epochs: int
    batches: int


def assert_resumes_exactly(
    make_loader: Callable[[], StatefulLoader], *, epochs: int = 2, links: int = 3
) -> int:
    """Demand that a loader resumed at any moment goes on as if it had never stopped, to the bit.

    A loader runs for some epochs while its state and a copy of the batch are kept at every moment:
    before the first batch, after each batch, after the end of each `for`. Then a new loader is made
    for each state, which must give exactly what was left; and again as a chain: the state is taken
    from a resumed loader, loaded into a third, and so on, over `links` loaders. Batches may be
    tensors or arrays, or tuples, lists and mappings of them, nested; what else they hold is
    compared by `==`, and NaN is itself.

    States go through JSON, as they would through a checkpoint. Cost: the square of the number of
    batches, so take few and small ones.

    Args:
        make_loader: makes a new loader, always the same.
        epochs: number of epochs.
        links: loaders in a chain; 1: no chains.

    Returns:
        The number of states that were loaded, and what followed checked.

    Raises:
        AssertionError: says at which state and batch, and in what, they differ.
    """
    record: list[list[_Leaves]] = []
    moments: list[_Moment] = []

    def note(loader: StatefulLoader, epochs_done: int, batches: int) -> None:
        state = json.dumps(loader.state_dict())
        moments.append(_Moment(state=state, epochs=epochs_done, batches=batches))

    with _closing(make_loader()) as loader:
        note(loader, 0, 0)
        for epoch in range(epochs):
            record.append([])
            for batch in loader:
                record[-1].append(_copy(batch))
                note(loader, epoch, len(record[-1]))
            note(loader, epoch + 1, 0)
    loaded = 0
    for moment in moments:
        loaded += _check_rest(make_loader, moment, record)
        if links > 1:
            loaded += _check_chain(make_loader, moment, record, links)
    return loaded


def _check_rest(
    make_loader: Callable[[], StatefulLoader], moment: _Moment, record: list[list[_Leaves]]
) -> int:
    with _closing(make_loader()) as loader:
        loader.load_state_dict(json.loads(moment.state))
        begin = moment.batches
        for epoch in range(moment.epochs, len(record)):
            found = [_copy(batch) for batch in loader]
            _compare(found, record[epoch][begin:], moment, epoch, begin)
            begin = 0
    return 1


def _check_chain(
    make_loader: Callable[[], StatefulLoader],
    moment: _Moment,
    record: list[list[_Leaves]],
    links: int,
) -> int:
    """Take one batch, or an epoch's end, from each loader but the last, which takes the rest."""
    for done in range(links - 1):
        if moment.epochs == len(record):
            return done
        with _closing(make_loader()) as loader:
            loader.load_state_dict(json.loads(moment.state))
            found = [_copy(batch) for batch in itertools.islice(loader, 1)]
            expected = record[moment.epochs][moment.batches : moment.batches + 1]
            _compare(found, expected, moment, moment.epochs, moment.batches)
            moment = _Moment(
                state=json.dumps(loader.state_dict()),
                epochs=moment.epochs + (0 if found else 1),
                batches=moment.batches + 1 if found else 0,
            )
    return links - 1 + _check_rest(make_loader, moment, record)


def _compare(
    found: list[_Leaves], expected: list[_Leaves], moment: _Moment, epoch: int, begin: int
) -> None:
    where = f"resumed after {moment.batches} batches of epoch {moment.epochs}: in epoch {epoch}"
    _demand(
        len(found) == len(expected),
        f"{where}, found {len(found)} more batches, expected {len(expected)}",
    )
    for i, (batch, other) in enumerate(zip(found, expected, strict=True)):
        here = f"{where}, batch {begin + i}"
        _demand(batch.keys() == other.keys(), f"{here} holds {list(batch)}, expected {list(other)}")
        for name, b in other.items():
            a, what = batch[name], f"{here}{name}"
            if not (isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor)):
                same = type(a) is type(b) and bool(a == b)
                _demand(same, f"{what} is {a!r}, expected {b!r}")
                continue
            _demand(a.dtype == b.dtype, f"{what} is {a.dtype}, expected {b.dtype}")
            _demand(a.shape == b.shape, f"{what} has shape {list(a.shape)}, not {list(b.shape)}")
            differing = int((_bytes(a) != _bytes(b)).any(1).sum())
            _demand(differing == 0, f"{what} differs in {differing} values")


def _demand(holds: bool, otherwise: str) -> None:
    """Like `assert`, which does nothing under `python -O`."""
    if not holds:
        raise AssertionError(otherwise)


def _copy(batch: Any, where: str = "") -> _Leaves:
    if isinstance(batch, np.ndarray):
        batch = batch.tolist() if batch.dtype.kind in "OSUMm" else torch.from_numpy(batch)
    elif isinstance(batch, float):
        batch = torch.tensor(batch, dtype=torch.float64)
    if isinstance(batch, torch.Tensor):
        return {where: batch.detach().cpu().clone(memory_format=torch.contiguous_format)}
    parts: Iterable[tuple[Any, Any]]
    if isinstance(batch, Mapping):
        parts = batch.items()
    elif isinstance(batch, Sequence) and not isinstance(batch, str | bytes):
        parts = enumerate(batch)
    else:
        return {where: copy.deepcopy(batch)}
    return {k: leaf for key, part in parts for k, leaf in _copy(part, f"{where}[{key!r}]").items()}


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    """Return its values' bytes, [values, bytes]: 0 is not -0, and NaN is itself."""
    return tensor.reshape(-1, 1).view(torch.uint8)


@contextmanager
def _closing(loader: StatefulLoader) -> Iterator[StatefulLoader]:
    try:
        yield loader
    finally:
        close = getattr(loader, "close", None)
        if close:
            close()
