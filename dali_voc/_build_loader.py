"""From a configuration to a loader: the split's pairs, their weights, this process's rank."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy.typing as npt

from dali_voc._arguments import check_arguments
from dali_voc._config_section import expanded
from dali_voc._idle_keys import warn_of_idle_keys
from dali_voc._ranks import find_ranks
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.datasets._binary_masks import warn_of_binary_masks
from dali_voc.datasets._chosen import find_chosen
from dali_voc.datasets._idle_map_keys import warn_of_idle_map_keys
from dali_voc.datasets._lost_values import warn_of_lost_values
from dali_voc.datasets._orientations import warn_of_orientations
from dali_voc.datasets._sizes import find_large
from dali_voc.loader import Loader
from dali_voc.sampling import balanced_weights, check_weights, read_weights
from dali_voc.stats import ClassStats

__all__ = ["build_loader"]

_log = logging.getLogger("dali_voc")
_ORIENTATIONS = 16  # images that are looked at for one; 'dali-voc verify' looks at more


def build_loader(
    config: Config,
    *,
    split: str = "train",
    training: bool | None = None,
    weights: npt.ArrayLike | None = None,
    samples: Iterable[int] | Iterable[str] | None = None,
) -> Loader:
    """Find a split's pairs and return a loader over them.

    Args:
        config: from `load_config` or `parse_config`.
        split: name of the split, such as "train" or "val".
        training: shuffle, crop at random and flip; else list order, centre crop, no flip, the same
            every time. By default, true for splits whose name begins with "train", or "Train";
            where it begins with neither that nor "val" or "test", a warning says so.
        weights: of the pairs in the split's list, also of those that are dropped: an epoch of
            training is then as many draws with replacement as there are samples, or as
            `sampling.epoch_length` says. By default what section `sampling` says, else the weights
            that the data set itself has.
        samples: of the split only these, in this order where nothing is shuffled: places in its
            list, or names as `loader.index.name` gives them. By default all.

    Raises:
        DatasetError: the split cannot be found, has unpaired or missing files, or gives no batch;
            the file of weights or class statistics cannot be read, or belongs to other samples;
            the split does not have one of `samples`.
        ConfigError: ranks or weights make no sense, or an operator of the user's cannot be found.
        SampleError: with `augment.small: drop`, a label whose size cannot be read.
        LoaderError: there is no such GPU, or no memory for the cache, or DALI cannot start.
        PluginError: the compiled operators cannot be loaded.
        TypeError: an argument is of another type.
    """
    check_arguments(config, split)
    if training is None:
        training = _is_training(split)
    must_exist = config.loader.raises
    index, places = find_chosen(config.dataset, split, samples, must_exist=must_exist)
    if training:
        warn_of_binary_masks(index)
        warn_of_lost_values(index)
        warn_of_orientations(index, most=_ORIENTATIONS)
        warn_of_idle_map_keys(index, config.dataset.map, palette=config.labels.palette)
    stats = counted = None
    if training and config.sampling.policy == "balanced":
        stats, counted = _statistics(config.sampling.stats_path, index, places, split=split)
    elif training and config.sampling.weights is not None and weights is None:
        weights = read_weights(expanded(config.sampling.weights), num_samples=len(index))
    elif training and weights is None:
        weights = index.weights
    if places is not None:
        index, weights = _keep(places, index, weights)
    # whole pictures are never too small
    if config.augment.small == "drop" and not config.augment.shows_whole(training=training):
        kept = find_large(index, config.augment.crop_size, must_exist=must_exist)
        index, weights = _keep(kept, index, weights)
        counted = kept if counted is None else [counted[i] for i in kept]
    if stats is not None and weights is None:  # by how many of those that are left show a class
        weights = balanced_weights(stats, places=counted)
    ranks = find_ranks(rank=config.loader.rank, world_size=config.loader.world_size)
    loader = Loader(config, index, training=training, ranks=ranks, weights=weights, stats=stats)
    warn_of_idle_keys(loader.plan.augment, training=training, batch_size=loader.batch_size)
    return loader


def _statistics(
    path: Path, index: PairIndex, places: list[int] | None, *, split: str
) -> tuple[ClassStats, list[int] | None]:
    """Return class statistics, and the places in them of the pairs that are wanted; None: all."""
    if places is None:
        return ClassStats.load_for(path, index, split=split), None
    stats, chosen = ClassStats.load(path), index.select(places)
    if stats.samples == chosen.digest():  # counted of these alone
        index, places = chosen, None
    stats.check(path, index, split=split)
    return stats, places


def _keep(
    places: list[int], index: PairIndex, weights: npt.ArrayLike | None
) -> tuple[PairIndex, npt.ArrayLike | None]:
    """Return some of the pairs, and their weights, if there are any."""
    if weights is not None:
        of = "pairs of the split, of which some are shown"
        weights = check_weights(weights, num_samples=len(index), of=of)[places]
    return index.select(places), weights


def _is_training(split: str) -> bool:
    name = split.lower()
    if not name.startswith(("train", "val", "test")):
        _log.warning(
            "split '%s' is shown as validation: in order, not augmented; build_loader(..., "
            "training=True) trains on it, training=False says that this is meant",
            split,
        )
    return name.startswith("train")
