"""Which samples are known to be bad, and who stands in for them."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dali_voc.errors import LoaderError, SampleError
from dali_voc.randomness import replacement_candidates

__all__ = ["BadFile", "Report", "Substitutes"]

_log = logging.getLogger("dali_voc")
_ATTEMPTS = 64


@dataclass(frozen=True, kw_only=True)
class BadFile:
    """A file that could not be used.

    Attributes:
        path: the file.
        reason: what was found and what was expected.
        times: how many samples of delivered batches it has cost so far.
    """

    path: str
    reason: str
    times: int


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a loader has gone on in spite of.

    Attributes:
        on_error: what was done: "skip" or "replace" (with "raise" there is nothing to report).
        bad_files: in the order in which they were met.
    """

    on_error: Literal["raise", "skip", "replace"]
    bad_files: tuple[BadFile, ...]

    @property
    def samples(self) -> int:
        """Number of samples of delivered batches that were skipped or replaced."""
        return sum(file.times for file in self.bad_files)


class Substitutes:
    """The bad samples met so far. Who stands in for one does not depend on when it was met.

    With `weights`, those of weight 0 stand in for none: they are never drawn.
    """

    def __init__(
        self, *, seed: int, num_samples: int, weights: npt.NDArray[np.float64] | None = None
    ) -> None:
        self._seed = seed
        self._num_samples = num_samples
        self._drawn = None if weights is None else weights > 0
        self._bad: dict[int, SampleError] = {}
        self._paths: set[str] = set()
        self._times: Counter[int] = Counter()

    def add(self, sample: int, error: SampleError, *, consequence: str) -> None:
        """Remember a bad sample, and log it the first time."""
        if error.path not in self._paths:
            self._paths.add(error.path)
            _log.warning("%s; %s from now on", error, consequence)
        self._bad[sample] = error

    def apply(self, epoch: int, samples: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the samples with stand-ins for the bad ones.

        Raises:
            LoaderError: there is no good sample.
        """
        if not self._bad:
            return samples
        return np.array([self._stand_in(epoch, int(s)) for s in samples], np.int64)

    def _stand_in(self, epoch: int, sample: int) -> int:
        if sample not in self._bad:
            return sample
        candidates = replacement_candidates(
            seed=self._seed,
            epoch=epoch,
            sample=sample,
            num_samples=self._num_samples,
            attempts=_ATTEMPTS,
        )
        in_turn = ((sample + k) % self._num_samples for k in range(1, self._num_samples))
        for candidate in itertools.chain(candidates.tolist(), in_turn):
            if candidate not in self._bad and (self._drawn is None or self._drawn[candidate]):
                return int(candidate)
        some = f"{self._num_samples} samples"
        if self._drawn is not None and not self._drawn.all():
            some = f"{self._drawn.sum()} samples of a weight above 0"
        raise LoaderError(f"all {some} are bad; the first: {next(iter(self._bad.values()))}")

    def count(self, samples: npt.NDArray[np.int64]) -> None:
        """Note that a batch with these planned samples has been delivered."""
        if self._bad:
            self._times.update(int(s) for s in samples if int(s) in self._bad)

    def report(self, on_error: Literal["raise", "skip", "replace"]) -> Report:
        """Return what has been met so far."""
        files: dict[str, BadFile] = {}
        for sample, error in self._bad.items():
            before = files[error.path].times if error.path in files else 0
            files[error.path] = BadFile(
                path=error.path, reason=error.reason, times=before + self._times[sample]
            )
        return Report(on_error=on_error, bad_files=tuple(files.values()))
