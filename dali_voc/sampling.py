"""Weights for sampling with replacement: per sample, per source, or so that classes are balanced.

`sampling: balanced` does two things in training, both from one file of class statistics: pictures
that show rare classes are drawn more often (`balanced_weights`), and some crops are put around a
pixel of a drawn class, rare ones more often (`balanced_augment`).
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from dali_voc.config import AugmentConfig
from dali_voc.errors import ConfigError, DatasetError
from dali_voc.stats import ClassStats, loss_weights

__all__ = [
    "balanced_augment",
    "balanced_weights",
    "check_weights",
    "read_weights",
    "source_weights",
]

_BALANCED_CLASS_CROP = 0.5


def check_weights(
    weights: npt.ArrayLike, *, num_samples: int, of: str = "samples"
) -> npt.NDArray[np.float64]:
    """Return weights as float64 [num_samples]; `of` is what errors call the samples.

    Raises:
        ConfigError: they are no numbers, or not as many as samples, one is negative or not finite,
            or all are 0.
    """
    if isinstance(weights, torch.Tensor):
        weights = weights.detach().cpu()
        weights = (weights.double() if weights.is_floating_point() else weights).numpy()
    try:
        array = np.array(weights)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"values of type {array.dtype}")
        array = array.astype(np.float64)  # a copy: whoever gave them may change them
    except ValueError as e:  # text, or a list of lists of different lengths
        raise ConfigError(f"weights: expected one number a sample ({e})") from None
    if array.shape != (num_samples,):
        raise ConfigError(f"found weights of shape {list(array.shape)} for {num_samples} {of}")
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
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        return check_weights(
            [float(line) for line in lines if line.strip()], num_samples=num_samples
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
        ConfigError: a source has no share, or a share no samples, or sources are not such numbers.
    """
    numbers = np.asarray(sources)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1 or (numbers < 0).any():
        raise ConfigError("sources: expected the number of a source, from 0, for each sample")
    counts = np.bincount(numbers, minlength=len(shares))
    if len(counts) > len(shares) or (counts == 0).any():
        raise ConfigError(f"{len(shares)} shares for sources of {counts.tolist()} samples")
    return check_weights((np.asarray(shares) / counts)[numbers], num_samples=len(numbers))


def balanced_weights(
    stats: ClassStats, *, places: Sequence[int] | None = None
) -> npt.NDArray[np.float64]:
    """Return weights per sample by which each class is drawn as often as any other.

    A class is drawn, all that occur alike, then one of the pictures that show it: the class-aware
    sampling of Shen, Lin and Huang, 2016 (https://arxiv.org/abs/1512.05830), for pictures of
    several classes. So the weight of a picture is the sum of 1 / (number of pictures that show c)
    over its classes c. A picture that shows no class is never drawn.

    Args:
        stats: of the split.
        places: of some of its samples, which alone are drawn and counted; None: all.

    Returns:
        float64, one for each of them; they sum to the number of classes that occur.

    Raises:
        ConfigError: no sample shows a class.
    """
    samples = stats.sample_classes
    shown = samples if places is None else [samples[place] for place in places]
    pictures = Counter(itertools.chain.from_iterable(shown))
    # exactly rounded, so that states of loaders agree across versions of Python
    weights = [math.fsum(1 / pictures[c] for c in classes) for classes in shown]
    return check_weights(weights, num_samples=len(weights))


def balanced_augment(augment: AugmentConfig, stats: ClassStats | None) -> AugmentConfig:
    """Return the section with what null stands for in `class_crop` and `class_weights`.

    Args:
        augment: the section; what is set in it stays.
        stats: of the split, where sampling is balanced; else None.

    Returns:
        With both set where they come from `stats`; weights are then inversely proportional to the
        classes' pixels.
    """
    share = augment.class_crop
    if share is None and stats is not None:
        share = _BALANCED_CLASS_CROP
    weights = augment.class_weights
    if stats is not None and weights is None and share:
        weights = tuple(loss_weights(stats, method="inverse").tolist())
    return augment.model_copy(update={"class_crop": share, "class_weights": weights})
