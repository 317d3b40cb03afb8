"""The pairs of a split: where their files are, and what the labels mean."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc._digest import json_digest
from dali_voc.datasets._file_list import FileList, Segments
from dali_voc.labels import NO_LABEL, LabelSpec

__all__ = ["PairIndex", "name_digest"]

_AT_ONCE = 4096  # samples whose paths are in memory together


@dataclass(frozen=True, kw_only=True, eq=False)  # arrays cannot be compared by ==
class PairIndex:
    """The images and labels of one split, in the order of its list, and what the labels mean.

    Attributes:
        images: where the images are.
        labels: where the labels are; `labels[i]` belongs to `images[i]`.
        spec: what label values mean.
        sizes: height and width of each label, pixels, integers [n, 2], negative where they are not
            known; None: none is.
        source: which of `spec.label_maps()` each label follows, integers [n], or
            `dali_voc.labels.NO_LABEL` where there is none, and `labels` has the image again; None:
            the first.
        segments: what the colours of each label mean, where that differs from file to file.
        weights: how often each pair is drawn in training, relative to the others, float64 [n];
            None: each comes once.
        known_digest: what `digest` returns, if somebody has worked it out already.
        known_origin: what `origin_digest` returns, of pairs that were put into other files; empty
            where that is not known.
        known_meaning: what `meaning` returns, of labels that are kept in other values than those
            that they were made from.
        made_from: paths of what the listing went by besides the folders of the files themselves:
            lists, class files, folders that hold no file of it (yet).
    """

    images: FileList
    labels: FileList
    spec: LabelSpec
    sizes: npt.NDArray[Any] | None = None
    source: npt.NDArray[Any] | None = None
    segments: Segments | None = None
    weights: npt.NDArray[np.float64] | None = None
    known_digest: str | None = None
    known_origin: str | None = None
    known_meaning: Mapping[str, Any] | None = None
    made_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = len(self.images)
        if len(self.labels) != n:
            raise ValueError(f"found {n} images, {len(self.labels)} labels")
        _check("sizes", self.sizes, (n, 2), "iu")
        _check("source", self.source, (n,), "iu")
        _check("weights", self.weights, (n,), "f")
        if self.source is not None and n > 0:
            known = range(NO_LABEL, len(self.spec.label_maps()))
            for found in int(self.source.min()), int(self.source.max()):
                if found not in known:
                    raise ValueError(
                        f"found 'source' {found}, expected {known.start} to {known[-1]}, as there "
                        f"are {len(known) - 1} label maps"
                    )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def in_shards(self) -> bool:
        """Whether the files lie inside others."""
        return self.labels.records(np.empty(0, np.int64)) is not None

    @property
    def labeled(self) -> npt.NDArray[np.int64]:
        """Return which samples have a label, int64, ascending."""
        if self.source is None:
            return np.arange(len(self))
        return np.flatnonzero(self.source != NO_LABEL)

    def with_spec(self, spec: LabelSpec) -> PairIndex:
        """Return the same pairs, whose label values mean something else."""
        return replace(self, spec=spec, known_meaning=None)

    def without_labels(self) -> PairIndex:
        """Return the same images, for which there are no labels."""
        source = np.full(len(self), NO_LABEL, np.int32)
        return replace(self, labels=self.images, sizes=None, source=source, segments=None)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return what `arrays` gives, in order; pipelines are built around it."""
        optional = {
            "image_record": self.in_shards,
            "label_record": self.in_shards,
            "map": self.source is not None,
            "segments": self.segments is not None,
        }
        return ("image", "label", *(name for name, used in optional.items() if used))

    def arrays(self, samples: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
        """Return what a pipeline has to be given of some samples.

        Returns:
            Paths of image and label, uint8 [n, longest], see `FileList.encoded`; where they lie
            inside other files, where, int64 [n, 4], see `dali_voc.ops.read_record`; as far as they
            are known, the label map, int32 [n], and the segments, int64 [n, k, 2].
        """
        files = self.images, self.labels
        found: list[npt.NDArray[Any]] = [these.encoded(samples) for these in files]
        for these in files:
            records = these.records(samples)
            if records is not None:
                found.append(records)
        if self.source is not None:
            found.append(self.source[samples].astype(np.int32))
        if self.segments is not None:
            found.append(self.segments.table(samples))
        return tuple(found)

    def name(self, i: int) -> str:
        """Return a short name of pair `i` for people."""
        return self.images.stem(i)

    def digest(self) -> str:
        """Return how many pairs there are and a hash of their names in order."""
        if self.known_digest is not None:
            return self.known_digest
        return name_digest(len(self), self.images.stems())

    def files_digest(self, root: Path) -> str:
        """Return a hash of which files the pairs are in, by their paths from the root on.

        `digest` is the same for pairs of the same names elsewhere, such as another split's or
        another folder of labels.
        """
        return self._digest_files(root)[0]

    def origin_digest(self, root: Path) -> str:
        """Return `files_digest` of the files that the pairs were in at first.

        Nothing where that is not known, or where some lie elsewhere than below the root, so that
        their paths say where the data lies.
        """
        if self.known_origin is not None or self.in_shards:
            return self.known_origin or ""
        digest, are_below = self._digest_files(root)
        return digest if are_below else ""

    def _digest_files(self, root: Path) -> tuple[str, bool]:
        """Return what `files_digest` says, and whether all the files lie below the root."""
        before = np.frombuffer(os.fsencode(f"{root}/"), np.uint8)
        found, all_below = hashlib.sha256(), True
        for begin in range(0, len(self), _AT_ONCE):
            samples = np.arange(begin, min(begin + _AT_ONCE, len(self)))
            for files in self.images, self.labels:
                paths = files.encoded(samples)
                below = len(before) <= paths.shape[1] and (paths[:, : len(before)] == before).all()
                all_below = all_below and bool(below)
                if below:
                    paths = paths[:, len(before) :]
                records = files.records(samples)
                for array in paths, *(() if records is None else (records,)):
                    found.update(f"{array.shape}".encode())
                    found.update(np.ascontiguousarray(array).data)
        return f"sha256 {found.hexdigest()[:16]}", all_below

    def meaning(self) -> dict[str, Any]:
        """Return what labels mean, as plain values that differ where it does."""
        if self.known_meaning is not None:
            return dict(self.known_meaning)
        facts = asdict(self.spec)
        # what is new in a later version changes nothing
        if not facts["maps"]:
            del facts["maps"]
        for part in facts, *facts.get("maps", ()):
            del part["colors_guessed"]
        del facts["shown"]  # it means nothing
        if len(self.labeled) < len(self):
            facts["labeled"] = len(self.labeled)
            if len(self.labeled):
                facts["which"] = hashlib.sha256(self.labeled.tobytes()).hexdigest()[:16]
        if self.segments is not None:
            facts["segments"] = self.segments.digest()
        return facts

    def meaning_digest(self) -> str:
        """Return a hash of what labels mean."""
        return f"sha256 {json_digest(self.meaning())}"

    def select(self, keep: Iterable[int]) -> PairIndex:
        """Return the index of some of the pairs, in the order given."""
        chosen = list(keep)
        return PairIndex(
            images=self.images.select(chosen),
            labels=self.labels.select(chosen),
            spec=self.spec,
            sizes=None if self.sizes is None else self.sizes[chosen],
            source=None if self.source is None else self.source[chosen],
            segments=None if self.segments is None else self.segments.select(chosen),
            weights=None if self.weights is None else self.weights[chosen],
            known_origin=None if self.known_origin is None else "",
            known_meaning=self.known_meaning,
            made_from=self.made_from,
        )


def _check(name: str, values: Any, shape: tuple[int, ...], kinds: str) -> None:
    """Refuse values of another shape, or whose type is of another kind of NumPy's."""
    if values is None:
        return
    if not isinstance(values, np.ndarray):
        raise ValueError(f"found '{name}' as a {type(values).__name__}, expected an array")
    if values.shape != shape or values.dtype.kind not in kinds:
        found = f"{values.dtype} {list(values.shape)}"
        raise ValueError(f"found '{name}' of {found}, expected {list(shape)}")


def name_digest(num_samples: int, pieces: Iterable[bytes]) -> str:
    """Return what `PairIndex.digest` says of samples whose names `FileList.stems` yields."""
    names = hashlib.sha256()
    for piece in pieces:
        names.update(piece)
    return f"{num_samples} samples, sha256 {names.hexdigest()[:16]}"
