"""A `PairIndex` of files as plain values and arrays, and back; nothing is an object per sample."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from dali_voc.datasets._chain import ChainList
from dali_voc.datasets._file_list import FileList
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._index_subject import from_root, to_root
from dali_voc.datasets._panoptic_segments import PanopticSegments
from dali_voc.datasets._path_list import PathList
from dali_voc.errors import DatasetError
from dali_voc.labels import LabelSpec

__all__ = ["Arrays", "arrays_of", "index_from"]

Arrays = Mapping[str, npt.NDArray[Any]]
_SPEC = TypeAdapter(LabelSpec)


def arrays_of(index: PairIndex, root: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Return what is to be known of an index: values fit for JSON, and arrays.

    Args:
        index: of whole files.
        root: what paths are kept relative to, as far as they are below it.

    Raises:
        DatasetError: the files lie inside others, or are listed in a form that is not known.
    """
    writer = _FilesWriter(root)
    facts = {
        "images": writer.add(index.images),
        "labels": writer.add(index.labels),
        "spec": asdict(index.spec),
        "samples": index.digest(),
    }
    arrays = writer.arrays
    for name in ("sizes", "source", "weights"):
        values = getattr(index, name)
        if values is not None:
            arrays[name] = values
    segments = index.segments
    if isinstance(segments, PanopticSegments):
        arrays["segment_colors"] = segments.colors
        arrays["segment_classes"] = segments.classes
        arrays["segment_ends"] = segments.ends
    elif segments is not None:
        raise _not_known(segments)
    return facts, arrays


def index_from(facts: Mapping[str, Any], arrays: Arrays, root: Path) -> PairIndex:
    """Return the index that `arrays_of` took apart.

    Raises:
        KeyError: something is missing.
        TypeError: something is of another kind.
        ValueError: things do not fit together; says which.
    """
    reader = _FilesReader(root, arrays)
    images, labels = reader.read(facts["images"]), reader.read(facts["labels"])
    spec, samples = _SPEC.validate_python(facts["spec"]), facts["samples"]
    n, weights = len(images), arrays.get("weights")
    _require(n > 0, "no images")
    known = isinstance(samples, str) and samples.startswith(f"{n} samples, ")
    _require(known, f"'samples' is {samples!r}")
    if weights is not None:
        _require(weights.dtype == np.float64, "'weights'")
        _require(bool((np.isfinite(weights) & (weights >= 0)).all()), "'weights' below 0")
    return PairIndex(
        images=images,
        labels=labels,
        spec=spec,
        sizes=arrays.get("sizes"),
        source=arrays.get("source"),
        segments=_segments(arrays, n, len(spec.classes)),
        weights=weights,
        known_digest=samples,
    )


class _FilesWriter:
    """Takes lists of files apart; text that several share is kept once."""

    def __init__(self, root: Path) -> None:
        self.arrays: dict[str, npt.NDArray[Any]] = {}
        self._root = root
        self._numbers: dict[tuple[int, int], int] = {}
        self._num_rows = 0

    def add(self, files: FileList) -> dict[str, Any]:
        if isinstance(files, ChainList):
            plain: dict[str, Any] = {"lists": [self.add(part) for part in files.lists]}
            if files.rows is not None:
                plain["rows"] = self._num_rows
                self.arrays[f"rows_{self._num_rows}"] = files.rows
                self._num_rows += 1
            return plain
        if not isinstance(files, PathList):
            raise _not_known(files)
        # both are kept alive by the list, so that their ids tell them from others
        number = self._numbers.setdefault((id(files.text), id(files.ends)), len(self._numbers))
        self.arrays[f"stems_{number}"] = np.frombuffer(files.text, np.uint8)
        self.arrays[f"ends_{number}"] = files.ends
        prefix, suffix = _readable(to_root(files.prefix, self._root)), _readable(files.suffix)
        return {"prefix": prefix, "suffix": suffix, "stems": number}


class _FilesReader:
    """Puts lists of files together again; text that several share is there once."""

    def __init__(self, root: Path, arrays: Arrays) -> None:
        self._root = root
        self._arrays = arrays
        self._texts: dict[int, tuple[bytes, npt.NDArray[np.int64]]] = {}

    def read(self, plain: Mapping[str, Any]) -> FileList:
        if "lists" in plain:
            lists = [self.read(part) for part in plain["lists"]]
            rows = self._arrays[f"rows_{plain['rows']}"] if "rows" in plain else None
            if rows is not None:
                total = sum(len(files) for files in lists)
                _require(rows.ndim == 1 and rows.dtype == np.int64, "'rows'")
                inside = rows.min(initial=0) >= 0 and rows.max(initial=-1) < total
                _require(bool(inside), "'rows' is of no file")
            return ChainList(lists, rows=rows)
        text, ends = self._stems(plain["stems"])
        return PathList.from_text(
            text,
            ends,
            prefix=from_root(_as_path(plain["prefix"]), self._root),
            suffix=_as_path(plain["suffix"]),
        )

    def _stems(self, number: int) -> tuple[bytes, npt.NDArray[np.int64]]:
        if number not in self._texts:
            text, ends = self._arrays[f"stems_{number}"], self._arrays[f"ends_{number}"]
            _require(text.ndim == 1 and text.dtype == np.uint8, f"'stems_{number}'")
            _require(_are_ends(ends, len(text)), f"'ends_{number}' does not fit its text")
            self._texts[number] = text.tobytes(), ends
        return self._texts[number]


def _segments(arrays: Arrays, n: int, num_classes: int) -> PanopticSegments | None:
    if "segment_ends" not in arrays:
        return None
    names = "segment_colors", "segment_classes", "segment_ends"
    colors, classes, ends = (arrays[name] for name in names)
    _require(colors.ndim == 1 and colors.dtype == np.uint32, "'segment_colors'")
    _require(classes.shape == colors.shape and classes.dtype == np.int32, "'segment_classes'")
    _require(len(ends) == n + 1 and _are_ends(ends, len(colors)), "'segment_ends'")
    inside = classes.min(initial=-1) >= -1 and classes.max(initial=-1) < num_classes
    _require(bool(inside), "'segment_classes' is of no class")
    return PanopticSegments(colors=colors, classes=classes, ends=ends)


def _are_ends(ends: npt.NDArray[Any], length: int) -> bool:
    if ends.ndim != 1 or ends.dtype != np.int64 or len(ends) == 0:
        return False
    return bool(ends[0] == 0 and ends[-1] == length and (ends[1:] >= ends[:-1]).all())


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(f"found {what}")


def _not_known(found: object) -> DatasetError:
    return DatasetError(
        f"dataset.name: found a data set that keeps its pairs as a {type(found).__name__}, "
        "expected one of separate files: 'dali-voc index' is for these"
    )


def _readable(path: str) -> str:
    """Return a path, which may be any bytes, as text that JSON can hold."""
    return os.fsencode(path).decode("latin-1")


def _as_path(text: str) -> str:
    return os.fsdecode(text.encode("latin-1"))
