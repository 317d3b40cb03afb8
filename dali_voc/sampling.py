"""Weights for sampling with replacement: per sample, or per source."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dali_voc.errors import ConfigError, DatasetError

__all__ = ["check_weights", "read_weights", "source_weights"]


def check_weights(weights: npt.ArrayLike, *, num_samples: int) -> npt.NDArray[np.float64]:
    """Return weights as float64 [num_samples].

    Raises:
        ConfigError: their number is wrong, one is negative or not finite, or all are 0.
    """
    array = np.asarray(weights, np.float64)
    if array.shape != (num_samples,):
        raise ConfigError(f"found weights of shape {list(array.shape)} for {num_samples} samples")
    with np.errstate(over="ignore"):
        total = array.sum()
    if not np.isfinite(total) or (array < 0).any() or not array.any():
        raise ConfigError("weights and their sum must be finite, none below 0, and not all 0")
    return array


def read_weights(path: Path, *, num_samples: int) -> npt.NDArray[np.float64]:
    """Read a text file with one weight a line, in the order of the split's list.

    Raises:
        DatasetError: the file cannot be read, or does not fit the split.
    """
    try:
        return check_weights(
            [float(line) for line in path.read_text().split()], num_samples=num_samples
        )
    except (OSError, ValueError, ConfigError) as e:
        reason = e.strerror if isinstance(e, OSError) else e
        raise DatasetError(f"{path}: not a list of weights, one a line ({reason})") from None


def source_weights(sources: npt.ArrayLike, shares: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return weights per sample that give each source its share of the draws.

    Args:
        sources: which source each sample is from, integers from 0, shape [num_samples].
        shares: how much of the draws each source gets, relative to the others.

    Raises:
        ConfigError: a source has no share, or a share no samples.
    """
    numbers = np.asarray(sources, np.int64)
    counts = np.bincount(numbers, minlength=len(shares))
    if len(counts) > len(shares) or (counts == 0).any():
        raise ConfigError(f"{len(shares)} shares for sources of {counts.tolist()} samples")
    return check_weights((np.asarray(shares) / counts)[numbers], num_samples=len(numbers))
