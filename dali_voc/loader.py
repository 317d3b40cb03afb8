"""The loader: epochs of (images, labels) as torch tensors."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import operator
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import numpy.typing as npt
import torch
from torch.utils.dlpack import from_dlpack
from typing_extensions import Self

from dali_voc._assemble import Assembler, LoaderBatch
from dali_voc._batches import Batch, BatchKey, BatchPlan
from dali_voc._cache import Cache
from dali_voc._devices import has_gpu_graph, pick_device
from dali_voc._fetcher import Fetcher
from dali_voc._pipeline_builder import PipelineBuilder
from dali_voc._position import Pass, Position, check_epoch
from dali_voc._ranks import Ranks, compare_ranks
from dali_voc._substitutes import Report, Substitutes
from dali_voc._told_epochs import ToldEpochs
from dali_voc._turns import Turns
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.errors import ConfigError, DatasetError, LoaderError
from dali_voc.labels import LabelSpec
from dali_voc.sampling import balanced_augment, check_weights
from dali_voc.state import LoaderState, fingerprint
from dali_voc.stats import ClassStats

__all__ = ["Loader"]

_log = logging.getLogger("dali_voc")


class Loader:
    """Iterates over (images, labels), epoch after epoch.

    images: float32 [n, 3, crop height, crop width], normalised. labels: int64 [n, crop height,
    crop width], class indices, `labels.ignore_index` on void and padding. n is the batch size;
    smaller in the last batch of an epoch if `loader.last_batch`, or in validation
    `loader.validation_last_batch`, is "partial". Both lie on
    `loader.device`, belong to the consumer, and stay valid as long as they are held.

    Each `for` is an epoch of its own, also after a `break` (if it came to a first batch). A loader
    has one position: a new `for` ends the one before. Use it in a `with` block, or call `close`.

    A bad file raises `SampleError`, is skipped or replaced, by `loader.on_error`. The position then
    is still before the batch: `next` on the same iterator tries it again.

    Threads may share an iterator: each batch goes to one of them. A copy, also in another process
    (`pickle`), is a loader of its own, whose next `for` is the same; so is the loader itself in a
    process that was forked off, on a CPU.

    Args:
        config: the configuration.
        index: the pairs.
        training: see `build_loader`.
        ranks: the place of this process among those that share the data.
        weights: see `build_loader`.
        stats: of the split, for class-aware crops where sampling is balanced.
    """

    def __init__(
        self,
        config: Config,
        index: PairIndex,
        *,
        training: bool,
        ranks: Ranks | None = None,
        weights: npt.ArrayLike | None = None,
        stats: ClassStats | None = None,
    ) -> None:
        if len(index) == 0:
            raise DatasetError(f"{config.dataset.path}: no pairs, expected one at least")
        if weights is not None and not training:
            raise ConfigError(
                "weights: validation shows each sample once and in order; expected training=True "
                "with them"
            )
        checked = None if weights is None else check_weights(weights, num_samples=len(index))
        self._given: dict[str, Any] = {
            "config": config,
            "index": index,
            "training": training,
            "ranks": ranks,
            "weights": checked,
            "stats": stats,
        }
        # what null stands for is decided here, once, so that batches and fingerprint agree
        config = config.model_copy(
            update={
                "augment": balanced_augment(config.augment, stats),
                "loader": config.loader.of_pass(training=training),
            }
        )
        weighted = config.augment.class_weights
        if weighted is not None and len(weighted) != len(index.spec.classes):
            raise ConfigError(
                f"augment.class_weights: found {len(weighted)} weights, expected one for each of "
                f"{len(index.spec.classes)} classes"
            )
        _check_width(config, len(index.spec.classes))
        if training:
            _check_crops(config)
        self._config = config
        self._index = index
        self._assembler = Assembler.from_config(config, index.spec.classes, training=training)
        mixer = self._assembler.mixer
        self._plan = BatchPlan.from_config(
            config,
            num_samples=len(index),
            training=training,
            ranks=ranks or Ranks(),
            weights=checked,
            mixing_numbers=mixer.numbers if mixer else 0,
        )
        self._length = self._plan.deal().num_batches()
        if self._length == 0:
            raise DatasetError(
                f"{config.dataset.path}: {_samples_of(self._plan)} give no full batch of "
                f"{config.loader.batch_size} on {self._plan.ranks.world_size} rank(s), and "
                f"loader.{'' if training else 'validation_'}last_batch is 'drop'"
            )
        self._device = pick_device(config.loader.device, local_rank=self._plan.ranks.local_rank)
        self._substitutes = Substitutes(
            seed=config.loader.seed,
            num_samples=len(index),
            weights=checked if training else None,
        )
        on_gpu = has_gpu_graph(self._device)
        self._cache = Cache.from_config(config, index, gpu=self._device if on_gpu else None)
        build = PipelineBuilder(
            config=config,
            index=index,
            augment=self._plan.augment,
            device=self._device,
            on_gpu=on_gpu,
            whole=self._assembler.whole,
            cache=self._cache,
            repeats=self._plan.crops > 1,
        )
        self._fetcher = Fetcher(build=build, plan=self._plan, substitutes=self._substitutes)
        self._position = Position()
        self._told = ToldEpochs(self._position, self._plan)
        self._in_hand: Batch | None = None
        self._has_begun = False
        ends = contextlib.ExitStack()
        if self._cache:
            ends.callback(self._cache.close)
        ends.callback(self._fetcher.close)
        self._turns = Turns(ends.close)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._turns.closed:
            raise LoaderError("the loader is closed")
        if type(self) is not Loader:
            raise TypeError(
                f"a {type(self).__name__} can be copied only if it has a __reduce__ of its own"
            )
        return _make_again, (self._given, self._position.next_for)

    @functools.cached_property
    def _fingerprint(self) -> dict[str, str]:
        """What a state is compared by; of many samples it takes a while."""
        given = self._given
        return fingerprint(
            self._config, self._index, training=given["training"], weights=given["weights"]
        )

    def __repr__(self) -> str:
        """Return what it reads and where it is, for people."""
        height, width = self._config.augment.crop_size
        shown = "whole pictures" if self._assembler.whole else f"{height}x{width}"
        ranks = self._plan.ranks
        parts = [
            self._config.dataset.name,
            "training" if self._given["training"] else "validation",
            f"{len(self._index):,} pairs",
            f"{len(self):,} batches of {self._config.loader.batch_size}",
            shown,
            str(self._device),
            *([f"rank {ranks.rank} of {ranks.world_size}"] if ranks.world_size > 1 else []),
            "closed" if self._turns.closed else f"next epoch {self._position.next_for.epoch}",
        ]
        return f"<{type(self).__name__}: {', '.join(parts)}>"

    def __len__(self) -> int:
        """Return the number of batches of a whole epoch; it never changes."""
        return self._length

    def __iter__(self) -> _EpochIterator:
        """Begin the next epoch, or go on with the one that a loaded state was in."""
        if self._turns.closed:
            raise LoaderError("the loader is closed")
        if not self._has_begun:
            self._plan.ranks.warn_if_early()
            self._has_begun = True
        return _EpochIterator(self, self._position.begin())

    @property
    def device(self) -> torch.device:
        """Where batches lie."""
        return self._device

    @property
    def index(self) -> PairIndex:
        """The pairs, in list order."""
        return self._index

    @property
    def dataset(self) -> PairIndex:
        """The same, for code that asks for `len(loader.dataset)`."""
        return self._index

    @property
    def batch_size(self) -> int:
        """How many samples a full batch has, on each rank."""
        return self._plan.batch_size

    @property
    def spec(self) -> LabelSpec:
        """The classes and their colours."""
        return self._index.spec

    @property
    def plan(self) -> BatchPlan:
        """What batches consist of, before anything is read."""
        return self._plan

    @property
    def in_hand(self) -> Batch:
        """What the batch that was taken last consists of: which samples, and their augmentation.

        `samples` is what was read; with `on_error: skip`, blank where that is not as `planned`.
        Not for use by several threads that share an iterator, or behind something that takes
        batches ahead of you; batches of whole pictures say themselves what they show.

        Raises:
            LoaderError: none has been taken yet.
        """
        if self._in_hand is None:
            raise LoaderError("no batch has been taken yet, expected a use inside a 'for'")
        return self._in_hand

    def batch_at(self, *, epoch: int, step: int) -> tuple[Batch, LoaderBatch]:
        """Return what one batch of any epoch consists of, and the batch: to look at it again.

        As if a `for` over that epoch had come so far: one that is running ends, and the next
        begins the epoch after.

        Args:
            epoch: from 0.
            step: number of the batch, 0 to `len(loader)` - 1.
        """
        epoch, step = check_epoch(epoch), operator.index(step)
        if not 0 <= step < self._length:
            raise LoaderError(f"batch {step}: expected 0 to {self._length - 1}")
        key = BatchKey(epoch=epoch, start=self._plan.deal().delivered(steps=step))
        before = dataclasses.replace(self._position)
        self._position.go_to(key)
        try:
            made = next(iter(self))
        except BaseException:
            self._position.restore(before)
            raise
        return self.in_hand, made

    def set_epoch(self, epoch: int) -> None:
        """Let the next `for` be an epoch of this number; each after it follows by itself.

        Nothing happens where it would be anyhow: the rest of an epoch that was loaded stays. A
        `for` that is running goes on, but for one that has given no batch yet, which is the next.
        After a `break` the number is not in a state until that epoch has begun.

        Args:
            epoch: from 0.
        """
        self._position.set_epoch(check_epoch(epoch))

    @property
    def batch_sampler(self) -> ToldEpochs:
        """What Lightning tells the number of each epoch before it begins, as to a `DataLoader`.

        Lightning does not load every state that it saves: see `ToldEpochs`.
        """
        return self._told

    def state_dict(self) -> dict[str, Any]:
        """Return where the loader is: small, plain, fit for JSON; the same on every rank.

        Taken inside a `for`, it stands after the batch in hand; `load_state_dict` and a new `for`
        then give the rest of the epoch (nothing, after its last batch), and the next `for` the
        next epoch. Taken after a `for` has come to its end, it stands before the next epoch.
        """
        here = self._position.here
        delivered = here.start
        if here.step:
            delivered = self._plan.deal(here.start).delivered(steps=here.step)
        return LoaderState(
            epoch=here.epoch,
            delivered=delivered,
            left=self._position.is_left,
            fingerprint=self._fingerprint,
        ).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to where a state was taken, by a loader with any number of ranks and any batch size.

        See `dali_voc.state` for what must be the same and what may differ. Another batch size is
        logged as a warning.

        Raises:
            StateError: the state is damaged or belongs to a run that differs; says in what.
        """
        checked = LoaderState.from_dict(
            state, expected=self._fingerprint, length=self._plan.epoch_length
        )
        before, now = (its["batch_size"] for its in (checked.fingerprint, self._fingerprint))
        if before != now:
            _log.warning(
                "loader.batch_size is %s, and was %s where the state was taken: what is left of "
                "the epoch comes in batches of %s",
                now,
                before,
                now,
            )
        key = BatchKey(epoch=checked.epoch, start=checked.delivered)
        self._position.go_to(key, was_left=checked.left)
        self._told.forget()

    def check_ranks(self, *, group: Any = None) -> None:
        """Make sure that all ranks of `torch.distributed` read the same; all have to call this.

        Nodes may have different copies of the data, or of the configuration: samples would then
        come twice or never, or a rank would have more batches than others, which wait for it.
        Compared are the names of the samples and what else a state is compared by, not what is in
        the files; and whether the loaders' ranks are those of all processes, each once. Without
        `torch.distributed` nothing happens.

        Args:
            group: of the processes that share the data, of which alone each has to call this, where
                that are not all: with a model that is itself spread over processes.

        Raises:
            LoaderError: names the first rank that differs, and in what, or whose share nobody has.
        """
        compare_ranks(self._plan.ranks, self._fingerprint, group=group)

    def report(self) -> Report:
        """Return the bad files met so far and what they have cost."""
        return self._substitutes.report(self._config.loader.on_error)

    def close(self) -> None:
        """Stop the threads and give memory back; batches that are held stay valid."""
        self._turns.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fetch(self, here: Pass) -> LoaderBatch:
        if self._turns.closed or here is not self._position.running:
            reason = "a newer 'for', batch_at or load_state_dict took over"
            if self._turns.closed:
                reason = "the loader is closed"
            raise LoaderError(f"this iterator has ended: {reason}")
        batch, outputs = self._fetcher.fetch(here.key)
        self._substitutes.count(batch.planned)
        self._in_hand = batch
        return self._assembler.assemble(batch, [self._to_torch(output) for output in outputs])

    def _to_torch(self, output: Any) -> torch.Tensor:
        tensor = output.as_tensor()
        # from what is no capsule torch asks for the device, in Python that loses interrupts
        return from_dlpack(tensor.__dlpack__() if self._device.type == "cpu" else tensor)


def _samples_of(plan: BatchPlan) -> str:
    crops = f", each {plan.crops} times (sampling.crops)," if plan.crops > 1 else ""
    if plan.length is None:
        return f"{plan.num_samples} pairs{crops}"
    return f"{plan.length} samples (sampling.epoch_length){crops}"


def _make_again(given: dict[str, Any], next_for: BatchKey) -> Loader:
    loader = Loader(**given)
    loader._position.go_to(next_for)
    return loader


def _check_crops(config: Config) -> None:
    crops, batch_size = config.sampling.crops, config.loader.batch_size
    if batch_size % crops:
        raise ConfigError(
            f"loader.batch_size: found {batch_size}, expected a multiple of sampling.crops, {crops}"
        )


def _check_width(config: Config, classes: int) -> None:
    """Refuse class indices that do not fit: nothing is cut off, or ignored, in silence.

    Raises:
        ConfigError: names the key.
    """
    labels = config.labels
    if classes > 255 and labels.dtype == "uint8":
        raise ConfigError(
            f"labels.dtype: found uint8 for {classes} classes, expected int32 or int64"
        )
    if 0 < labels.ignore_index < classes:
        raise ConfigError(
            f"labels.ignore_index: found {labels.ignore_index}, which is one of {classes} classes, "
            f"expected 0 or {classes} to {255 if labels.dtype == 'uint8' else 65534}"
        )
    if labels.unlabeled_index is not None and labels.unlabeled_index >= classes:
        raise ConfigError(
            f"labels.unlabeled_index: found {labels.unlabeled_index}, expected a class, 0 to "
            f"{classes - 1}, or null"
        )


class _EpochIterator:
    """Refers to the loader, which does not refer back: it ends with the last reference to it."""

    def __init__(self, loader: Loader, here: Pass) -> None:
        self._loader = loader
        self._here = here

    def __iter__(self) -> Self:
        return self

    def __del__(self) -> None:
        here = self.__dict__.get("_here")  # none where it was interrupted while it was made
        if here is not None:
            here.left = True

    def __next__(self) -> LoaderBatch:
        run = self._loader._turns.run
        if "torch._dynamo" in sys.modules:  # which would trace all that makes a batch
            run = torch.compiler.disable(run)  # type: ignore[no-untyped-call]
        return run(self._take)

    def _take(self) -> LoaderBatch:
        here = self._here
        if here.key.step >= self._loader._plan.deal(here.key.start).num_batches():
            here.begun = here.finished = True
            raise StopIteration
        batch = self._loader._fetch(here)
        here.begun = True
        here.key = dataclasses.replace(here.key, step=here.key.step + 1)
        return batch
