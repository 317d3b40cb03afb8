"""Reads every pair of a split once, and says what is wrong with which file."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from dali_voc._arguments import check_arguments
from dali_voc._label_reading import LabelReading
from dali_voc._read_once import BuildPipeline, read_once
from dali_voc._threads import pick_threads
from dali_voc.config import Config
from dali_voc.datasets import PairIndex, find_index
from dali_voc.datasets._binary_masks import warn_of_binary_masks
from dali_voc.datasets._idle_map_keys import warn_of_idle_map_keys
from dali_voc.datasets._lost_values import warn_of_lost_values
from dali_voc.datasets._orientations import warn_of_orientations
from dali_voc.errors import DatasetError, SampleError
from dali_voc.packing._label_code import encode_runs

__all__ = ["Fault", "Verification", "verify_split"]


_ORIENTATIONS = 200  # images that are looked at for one
_DECODED = 8  # whole pictures in a batch; three are in memory

# as jpeg_window.cc ends what it says of damage that libjpeg goes on after
_READ_ALL_THE_SAME = "loaders read it all the same"

Part = Literal["image", "label"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a file.

    Attributes:
        sample: place of the pair in the split.
        name: of the pair.
        part: which of its files it is.
        file: the file.
        reason: what was found and what was expected.
        is_refused: whether loaders refuse it; else they read it, damaged as it is.
    """

    sample: int
    name: str
    part: Part
    file: str
    reason: str
    is_refused: bool

    @classmethod
    def of(cls, index: PairIndex, sample: int, part: Part, error: SampleError) -> Fault:
        """Return the fault that an error tells of."""
        return cls(
            sample=sample,
            name=index.name(sample),
            part=part,
            file=error.path,
            reason=error.reason,
            is_refused=not error.reason.endswith(_READ_ALL_THE_SAME),
        )


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What reading every pair of a split brought to light.

    Attributes:
        dataset: name of the data set.
        split: name of the split.
        decoded: whether images were decoded; else only their headers and markers were read.
        pairs: how many there are.
        listing: what is wrong with the data set as a whole, such as labels without an image.
        faults: what is wrong with which file; an image and a label of one pair may both be bad.
            JPEG files in which libjpeg notices damage, and goes on, are among them where images
            were decoded.
    """

    dataset: str
    split: str
    decoded: bool
    pairs: int
    listing: str | None
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """Whether loaders read all of it."""
        return self.listing is None and not self.bad_pairs

    @property
    def damaged(self) -> tuple[Fault, ...]:
        """The faults of files that loaders read all the same."""
        return tuple(fault for fault in self.faults if not fault.is_refused)

    @property
    def bad_pairs(self) -> int:
        """How many pairs have a file that loaders refuse."""
        return len({fault.sample for fault in self.faults if fault.is_refused})

    def facts(self) -> dict[str, Any]:
        """Return all of it as what JSON can hold."""
        return {**dataclasses.asdict(self), "bad_pairs": self.bad_pairs}


def verify_split(
    config: Config,
    *,
    split: str = "train",
    fast: bool = False,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Verification:
    """Read every pair of a split as a loader does on the CPU, whole, and collect what is wrong.

    Args:
        config: sections `dataset` and `labels`, and `loader.threads` are used. With
            `labels.unknown: ignore`, values without a class are no fault.
        split: name of the split.
        fast: do not decode the images; their headers and markers are checked, and their sizes.
        progress: called now and then with how many pairs are done, and of how many.

    Raises:
        DatasetError: there is no such split, or its pairs cannot be listed at all.
        LoaderError: it is not a file's fault.
        TypeError: an argument is of another type.
    """
    check_arguments(config, split)
    index, listing = _find(config, split)
    warn_of_binary_masks(index)
    warn_of_orientations(index, most=_ORIENTATIONS)
    warn_of_lost_values(index)
    warn_of_idle_map_keys(index, config.dataset.map, palette=config.labels.palette)
    checker = _Checker(config, index, decode=not fast)
    faults: list[Fault] = []
    for done, (sample, error) in enumerate(checker.pairs()):
        progress(done, len(index))
        if error:
            part: Part = "image" if error.path == index.images[sample] else "label"
            faults.append(Fault.of(index, sample, part, error))
    faults += checker.others(faults)
    progress(len(index), len(index))
    return Verification(
        dataset=config.dataset.name,
        split=split,
        decoded=not fast,
        pairs=len(index),
        listing=listing,
        faults=tuple(sorted(faults, key=lambda fault: (fault.sample, fault.part))),
    )


def _find(config: Config, split: str) -> tuple[PairIndex, str | None]:
    try:
        return find_index(config.dataset, split), None
    except DatasetError as e:
        # what can be listed all the same is read; if nothing can, the same error is raised
        return find_index(config.dataset, split, must_exist=False), str(e)


class _Checker:
    """Runs samples through pipelines: pairs, or where one file is bad, the other alone."""

    def __init__(self, config: Config, index: PairIndex, *, decode: bool) -> None:
        # the loader's own graph, told to show whole pictures as bytes
        full = {"validation": "full", "stored_labels": False}
        whole = config.augment.without_chance().model_copy(update=full)
        as_bytes = config.normalize.model_copy(update={"dtype": "uint8"})
        self._config = config.model_copy(update={"augment": whole, "normalize": as_bytes})
        # as narrow as they may be: pictures may be large
        self._reading = LabelReading.of(index.spec, config.labels)
        self._index = index
        self._decode = decode
        self._common: dict[str, Any] = {
            "columns": index.columns,
            "threads": pick_threads(config.loader.threads),
        }

    def pairs(self) -> Iterator[tuple[int, SampleError | None]]:
        """Yield each sample, and what is wrong with one of its files."""
        samples = range(len(self._index))
        if self._decode:
            return self._run(self._index, self._build_whole, samples, batch=_DECODED)
        return self._run(self._index, self._build_fast, samples)

    def others(self, faults: Sequence[Fault]) -> list[Fault]:
        """Return what is wrong with the other files of pairs of which one is bad."""
        # what looks for bad files looks at both: here they are the same
        labels = dataclasses.replace(self._index, images=self._index.labels)
        images = dataclasses.replace(self._index, labels=self._index.images)
        bad_labels = [fault.sample for fault in faults if fault.part == "label"]
        labeled = set(self._index.labeled.tolist())
        bad_images = [
            fault.sample for fault in faults if fault.part == "image" and fault.sample in labeled
        ]
        return [
            *self._alone("label", labels, self._build_label, bad_images),
            *self._alone("image", images, self._build_image, bad_labels),
        ]

    def _alone(
        self, part: Part, index: PairIndex, build: BuildPipeline, samples: Sequence[int]
    ) -> Iterator[Fault]:
        for sample, error in self._run(index, build, samples):
            if error:
                yield Fault.of(self._index, sample, part, error)

    def _run(
        self, index: PairIndex, build: BuildPipeline, samples: Sequence[int], **options: Any
    ) -> Iterator[tuple[int, SampleError | None]]:
        for sample, found in read_once(index, build, samples=samples, raising=False, **options):
            yield sample, found if isinstance(found, SampleError) else None

    # Importing DALI takes a while; the command line shows its help without it.

    def _build_whole(self, source: Any, **options: Any) -> Any:
        from dali_voc.pipeline import build_pipeline  # noqa: PLC0415

        def placed() -> tuple[Any, ...]:
            arrays = source()
            n = len(arrays[0])
            return (*arrays, np.zeros((n, 2), np.float32), np.zeros(n, np.int32))

        return build_pipeline(
            placed,
            config=self._config,
            augment=self._config.augment,
            whole=True,
            reading=self._reading,
            on_gpu=False,
            device_id=None,
            pads=False,
            strict=True,
            **self._common,
            **options,
        )

    def _build_fast(self, source: Any, **options: Any) -> Any:
        from dali_voc.pipeline import build_packing_pipeline  # noqa: PLC0415

        return build_packing_pipeline(source, reading=self._reading, **self._common, **options)

    def _build_label(self, source: Any, **options: Any) -> Any:
        from dali_voc.pipeline import build_label_pipeline  # noqa: PLC0415

        return build_label_pipeline(source, reading=self._reading, **self._common, **options)

    def _build_image(self, source: Any, **options: Any) -> Any:
        from dali_voc.pipeline import build_image_pipeline  # noqa: PLC0415

        label = encode_runs(np.zeros((1, 1), np.uint8))
        return build_image_pipeline(
            source, label=label, decode=self._decode, **self._common, **options
        )
