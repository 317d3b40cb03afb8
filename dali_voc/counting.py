"""Counts the classes of a split by reading every label once; pictures are not decoded."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc._arguments import check_arguments
from dali_voc._label_reading import LabelReading
from dali_voc._read_once import read_once
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.datasets._chosen import find_chosen
from dali_voc.datasets._idle_map_keys import warn_of_idle_map_keys
from dali_voc.errors import DatasetError, SampleError
from dali_voc.stats import ClassStats

__all__ = ["count_classes"]

_log = logging.getLogger("dali_voc")


def count_classes(
    config: Config,
    *,
    split: str = "train",
    samples: Iterable[int] | Iterable[str] | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> ClassStats:
    """Read every label of a split, whole, and count its pixels.

    Args:
        config: sections `dataset` and `labels`, and `loader.threads` and `loader.on_error` are
            used. Void is void whatever `labels.ignore_index` is.
        split: name of the split.
        samples: of the split only these, as for `build_loader`.
        progress: called now and then with how many labels are done, and of how many.

    Returns:
        The counts, in which pictures without a label show nothing. Unless `on_error` is "raise",
        bad labels are logged, listed in `bad_files`, and count as showing nothing.

    Raises:
        DatasetError: the split cannot be found, has unpaired or missing files, or no labels, or
            does not have one of `samples`.
        SampleError: a label cannot be read, and `on_error` is "raise".
        TypeError: an argument is of another type.
    """
    check_arguments(config, split)
    must_exist = config.loader.raises
    index, places = find_chosen(config.dataset, split, samples, must_exist=must_exist)
    if places is not None:
        index = index.select(places)
    warn_of_idle_map_keys(index, config.dataset.map, palette=config.labels.palette)
    labeled = index.labeled.tolist()
    if not labeled:
        raise DatasetError(f"{config.dataset.path}: split '{split}' has no labels to count")
    n = len(index.spec.classes)
    pixels, picture_pixels = np.zeros(n, np.int64), np.zeros(n, np.int64)
    void = 0
    shown: list[tuple[int, ...]] = [()] * len(index)
    bad: dict[int, SampleError] = {}
    for done, (sample, label) in enumerate(_read_labels(index, labeled, config)):
        progress(done, len(labeled))
        if isinstance(label, SampleError):
            _log.warning("%s; it counts as showing nothing", label)
            bad[sample] = label
            continue
        counts = np.bincount(label.ravel(), minlength=n + 1)
        present = np.flatnonzero(counts[:n])
        pixels += counts[:n]
        picture_pixels[present] += counts[:n].sum()
        void += int(counts[n])
        shown[sample] = tuple(present.tolist())
    progress(len(labeled), len(labeled))
    return ClassStats(
        dataset=config.dataset.name,
        split=split,
        samples=index.digest(),
        classes=index.spec.classes,
        pixels=tuple(pixels.tolist()),
        picture_pixels=tuple(picture_pixels.tolist()),
        void_pixels=void,
        sample_classes=tuple(shown),
        unlabeled=len(index) - len(labeled),
        meaning=index.meaning_digest(),
        # a name that is not UTF-8 cannot be written as it is
        bad_files=tuple(str(bad[i]).encode(errors="replace").decode() for i in sorted(bad)),
    )


def _read_labels(
    index: PairIndex, samples: Sequence[int], config: Config
) -> Iterator[tuple[int, npt.NDArray[Any] | SampleError]]:
    """Yield some samples' labels, in which void is the number of classes, or what is wrong."""
    # what looks for bad files looks at images too: here they are the labels themselves
    labels_only = dataclasses.replace(index, images=index.labels)
    build = functools.partial(_build_pipeline, config=config, index=index)
    raising = config.loader.raises
    for sample, found in read_once(labels_only, build, samples=samples, raising=raising):
        yield sample, found if isinstance(found, SampleError) else found[0]


def _build_pipeline(
    source: Any, *, config: Config, index: PairIndex, batch_size: int, prefetch: int
) -> Any:
    # Importing DALI takes a while; the command line shows its help without it.
    from dali_voc.pipeline import build_label_pipeline  # noqa: PLC0415

    void = len(index.spec.classes)
    return build_label_pipeline(
        source,
        columns=index.columns,
        reading=LabelReading.of(index.spec, config.labels, ignore_index=void),
        batch_size=batch_size,
        threads=pick_threads(config.loader.threads),
        prefetch=prefetch,
    )
