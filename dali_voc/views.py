"""Several views of the same crops: loaders that go in step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dali_voc._assemble import LoaderBatch
from dali_voc._augment_place import PlaceKeys
from dali_voc.errors import LoaderError
from dali_voc.loader import Loader

__all__ = ["in_step"]


def in_step(*loaders: Loader) -> Iterator[tuple[LoaderBatch, ...]]:
    """Iterate over an epoch of several loaders together, and make sure that they match.

    As `zip(*loaders, strict=True)`, with which all come to their end, so that their states stand at
    the same place: with `zip` alone the first ends its epoch and the others do not, and loaders
    that go on from such states show different samples.

    Args:
        loaders: of the same crops of the same samples in the same order, such as those of a weak
            and a strong view; colours and what else becomes of crops may differ, and so may labels,
            unless crops are chosen by them. With `on_error`, a picture that only one of them could
            not read is blank, or another one, in that one alone.

    Yields:
        A batch of each.

    Raises:
        LoaderError: they cut other crops, a batch is of other samples, or one ends before another.
    """
    for number, loader in enumerate(loaders[1:], start=1):
        difference = _of_settings(loaders[0], loader)
        if difference:
            raise LoaderError(f"loaders 0 and {number} are not in step: other {difference}")
    return _together(loaders)


def _together(loaders: Sequence[Loader]) -> Iterator[tuple[LoaderBatch, ...]]:
    together = zip(*loaders, strict=True)
    while True:
        try:
            batches = next(together)
        except StopIteration:
            return
        except ValueError:
            raise LoaderError(
                "loaders are not in step: one has ended before another, expected states of one "
                "moment, or none"
            ) from None
        first, *others = (loader.in_hand for loader in loaders)
        for number, other in enumerate(others, start=1):
            if first.key != other.key or not np.array_equal(first.planned, other.planned):
                raise LoaderError(
                    f"loaders 0 and {number} are not in step: other samples, in batches "
                    f"{first.key.step} and {other.key.step} of epochs {first.key.epoch} and "
                    f"{other.key.epoch}; expected states of one moment, or none, and the same "
                    "samples, weights and ranks"
                )
        yield batches


def _of_settings(one: Loader, other: Loader) -> str | None:
    """Return the name of the first setting of order and crops that differs."""
    for key in (
        *("training", "loader.seed", "loader.batch_size", "loader.last_batch"),
        *("sampling.crops",),
    ):
        name = key.rpartition(".")[2]
        if getattr(one.plan, name) != getattr(other.plan, name):
            return key
    if one.index.digest() != other.index.digest():
        return "samples"
    by_class = one.plan.augment.class_crop or one.plan.augment.category_max_ratio
    if by_class and one.index.meaning_digest() != other.index.meaning_digest():
        return "labels, by which crops are chosen"
    for name in (*PlaceKeys.model_fields, "small", "validation", "shorter_side", "stride"):
        if getattr(one.plan.augment, name) != getattr(other.plan.augment, name):
            return f"augment.{name}"
    return None
