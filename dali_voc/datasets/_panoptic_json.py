"""The JSON of COCO's panoptic format, read as a stream: it is hundreds of megabytes long.

https://cocodataset.org/#format-data
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson
import numpy as np
import numpy.typing as npt

from dali_voc._repeats import repeated
from dali_voc.datasets._layout import some_of
from dali_voc.errors import DatasetError
from dali_voc.labels import Color

__all__ = ["Category", "PanopticEntries", "read_panoptic"]

_CHUNK = 1 << 20
_LABEL = ".png"
_DEEPEST = 1000  # the format needs 5
_NO_BRACKETS = bytes(set(range(256)) - set(b'[]{}"'))


@dataclass(frozen=True, kw_only=True)
class Category:
    """A class of the data set, a kind of things or of stuff."""

    number: int
    name: str
    color: Color


@dataclass(frozen=True, kw_only=True)
class PanopticEntries:
    """What the JSON says of its label files.

    Attributes:
        categories: in the order of the file.
        stems: the names of the label files, less `.png`, in the order of the file.
        ids: of the segments, entry after entry, int64 [number of segments].
        classes: their categories' places in `categories`, int32 [number of segments].
        crowd: whether a segment is a crowd, bool [number of segments].
        ends: where each entry's segments end, after a zero, int64 [number of entries + 1].
    """

    categories: tuple[Category, ...]
    stems: list[str]
    ids: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int32]
    crowd: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.int64]


def read_panoptic(path: Path) -> PanopticEntries:
    """Read categories and entries.

    Raises:
        DatasetError: the file cannot be read or is not of this format; it has no entries, or one
            twice; or a segment has an id that is impossible, or twice in its entry, or a category
            that is not there.
    """
    categories = _read_categories(path)
    stems: list[str] = []
    ids, numbers, crowd, ends = array("q"), array("q"), array("b"), array("q", [0])
    for i, entry in enumerate(_items(path, "annotations")):
        try:
            segments = entry["segments_info"]
            ids.extend([segment["id"] for segment in segments])
            numbers.extend([segment["category_id"] for segment in segments])
            crowd.extend([bool(segment.get("iscrowd", 0)) for segment in segments])
            ends.append(len(ids))
            stems.append(_stem(entry["file_name"]))
        except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
            raise DatasetError(
                f"{path}: entry {i} of 'annotations' is not of the panoptic format, expected "
                f"'file_name' (*{_LABEL}) and 'segments_info' with 'id' and 'category_id'"
            ) from None
    if not stems:
        raise DatasetError(f"{path}: found no entries in 'annotations'")
    entries = PanopticEntries(
        categories=categories,
        stems=stems,
        ids=np.frombuffer(ids, np.int64),
        classes=_places(path, numbers, categories),
        crowd=np.frombuffer(crowd, np.bool_),
        ends=np.frombuffer(ends, np.int64),
    )
    _check(path, entries)
    return entries


def _items(path: Path, key: str) -> Iterator[Any]:
    """Yield the items of a list in the outermost object."""
    try:
        with open(path, "rb") as file:
            shallow = _Shallow(file)
            yield from ijson.items(shallow, f"{key}.item", use_float=True, buf_size=_CHUNK)
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror})") from None
    except _DepthError:
        raise DatasetError(
            f"{path}: nested more than {_DEEPEST} levels deep, expected panoptic annotations"
        ) from None
    except (ijson.JSONError, UnicodeDecodeError):
        raise DatasetError(f"{path}: not JSON to its end, expected panoptic annotations") from None


class _DepthError(ValueError):
    """JSON is nested more deeply than this format ever is."""


class _Shallow:
    """A file of JSON that is not nested deeply: ijson's memory grows with the square of that."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._depth = 0
        self._in_text = self._escapes = False

    def read(self, size: int) -> bytes:
        """Read as a file does.

        Raises:
            _DepthError: it is nested too deeply.
        """
        chunk = self._file.read(size)
        parts = self._without_escapes(chunk).translate(None, _NO_BRACKETS).split(b'"')
        outside = b"".join(parts[1 if self._in_text else 0 :: 2])
        self._in_text ^= len(parts) % 2 == 0
        brackets = np.frombuffer(outside, np.uint8)
        if len(brackets):
            # [ and { have bit 1 set, ] and } have not
            depths = self._depth + np.cumsum(np.where(brackets & 2, 1, -1))
            if depths.max() > _DEEPEST:
                raise _DepthError
            self._depth = int(depths[-1])
        return chunk

    def _without_escapes(self, chunk: bytes) -> bytes:
        """Leave out backslashes and what they stand before, which may be a quotation mark."""
        if self._escapes:
            chunk, self._escapes = chunk[1:], False
        if b"\\" not in chunk:
            return chunk
        left = re.sub(rb"\\.", b"", chunk, flags=re.DOTALL)
        self._escapes = left.endswith(b"\\")
        return left


def _read_categories(path: Path) -> tuple[Category, ...]:
    found = []
    for i, item in enumerate(_items(path, "categories")):
        try:
            red, green, blue = map(int, item["color"])
            number = int(item["id"])
            if not -(2**63) <= number < 2**63:
                raise ValueError(number)
            found.append(Category(number=number, name=str(item["name"]), color=(red, green, blue)))
        except (KeyError, TypeError, ValueError):
            raise DatasetError(
                f"{path}: entry {i} of 'categories' is not of the panoptic format, expected 'id', "
                "'name' and 'color'"
            ) from None
    if not found:
        raise DatasetError(f"{path}: found no 'categories', expected a panoptic JSON")
    for what in "number", "name":
        if len({getattr(category, what) for category in found}) < len(found):
            raise DatasetError(f"{path}: two of its 'categories' have the same {what}")
    return tuple(found)


def _stem(name: str) -> str:
    if not name.endswith(_LABEL):
        raise ValueError(name)
    return name[: -len(_LABEL)]


def _places(
    path: Path, numbers: array[int], categories: tuple[Category, ...]
) -> npt.NDArray[np.int32]:
    known = np.array([category.number for category in categories], np.int64)
    order = np.argsort(known)
    wanted = np.frombuffer(numbers, np.int64)
    rows = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    places = order[rows].astype(np.int32)
    strange = np.flatnonzero(known[places] != wanted)
    if len(strange):
        some = some_of([str(number) for number in np.unique(wanted[strange])])
        raise DatasetError(
            f"{path}: found {len(strange)} segments of category_id {some}, expected one of its "
            f"{len(known)} 'categories'"
        )
    return places


def _check(path: Path, entries: PanopticEntries) -> None:
    twice = repeated(entries.stems)
    if twice:
        raise DatasetError(
            f"{path}: found more than one entry for {len(twice)} files "
            f"({some_of(twice)}), expected one for each"
        )
    impossible = np.flatnonzero((entries.ids <= 0) | (entries.ids >= 1 << 24))
    if len(impossible):
        raise _of_segments(path, entries, impossible, "segment id", "expected 1 to 16777215")
    keys = np.repeat(np.arange(len(entries.stems)) << 24, np.diff(entries.ends)) | entries.ids
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order][1:] == keys[order][:-1]]
    if len(again):
        again.sort()
        raise _of_segments(path, entries, again, "once more segment id", "expected it once")


def _of_segments(
    path: Path, entries: PanopticEntries, rows: npt.NDArray[np.intp], what: str, expected: str
) -> DatasetError:
    first = int(rows[0])
    stem = entries.stems[int(np.searchsorted(entries.ends, first, side="right")) - 1]
    return DatasetError(
        f"{path}: {stem}{_LABEL}: found {what} {entries.ids[first]}, {expected} "
        f"({len(rows)} such segments in all)"
    )
