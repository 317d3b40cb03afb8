"""Reads pairs as stored, and where in them the crops of a batch were cut."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from dali_voc._bad_samples import image_reason
from dali_voc._batches import Batch
from dali_voc._dali_errors import sentence_from_dali
from dali_voc._label_reading import LabelReading
from dali_voc._prefetch import DALI_ERRORS, BatchSource
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.errors import printable
from dali_voc.loader import Loader
from dali_voc.previewing._codes import to_codes
from dali_voc.previewing._shown import Raw

__all__ = ["read_stored"]

_log = logging.getLogger("dali_voc")


def read_stored(
    loader: Loader, config: Config, places: Sequence[tuple[Batch, int]], *, cropped: bool
) -> list[Raw | None]:
    """Read some pairs of some batches, as stored.

    Args:
        loader: of the batches.
        config: the loader's.
        places: batch and place in it, of each pair.
        cropped: whether the batches are of crops.

    Returns:
        Each pair; None where a file is bad.
    """
    return [_read_one(loader, config, batch, place, cropped=cropped) for batch, place in places]


def _read_one(
    loader: Loader, config: Config, batch: Batch, place: int, *, cropped: bool
) -> Raw | None:
    # Importing DALI takes a while.
    from dali_voc.pipeline import build_stored_pipeline  # noqa: PLC0415

    one = slice(place, place + 1)
    alone = Batch(
        key=batch.key,
        planned=batch.planned[one],
        # of a blank, the bad pair itself; where another stands in, that one
        samples=(batch.planned if config.loader.on_error == "skip" else batch.samples)[one],
        parameters={name: array[one] for name, array in batch.parameters.items()},
    )
    spec, ignore_index = loader.spec, config.labels.ignore_index
    # a pipeline of its own for each: DALI gives up on one that met a bad file
    source = BatchSource(loader.index)
    source.follow(iter((alone,)))
    pipeline = build_stored_pipeline(
        source,
        columns=loader.index.columns,
        reading=LabelReading.of(spec, config.labels, dtype="int32"),
        augment=loader.plan.augment,
        threads=pick_threads(config.loader.threads),
    )
    try:
        image, label, begin, end = (np.array(output[0]) for output in pipeline.run())
    except DALI_ERRORS as e:
        sample = int(alone.samples[0])
        name = loader.index.name(sample)
        ours = sentence_from_dali(e)
        reason = ours[1] if ours else image_reason(loader.index.images, sample)
        _log.warning("%s: cannot be shown as stored: %s", printable(name), reason)
        return None
    codes = to_codes(label[None], num_classes=len(spec.classes), ignore_index=ignore_index)[0]
    (top, left), (bottom, right) = begin.tolist(), end.tolist()
    window = (top, left, bottom, right) if cropped else None
    return Raw(image=image, codes=codes, window=window)
