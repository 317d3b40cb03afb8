"""The file of `dali-voc index`: an uncompressed .npz of arrays, and of JSON that describes them.

No array holds Python objects, so that the file can be read by anybody without risk.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc import __version__
from dali_voc._files import write_bytes
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._index_arrays import Arrays, arrays_of, index_from
from dali_voc.datasets._index_subject import IndexSubject, from_root, to_root
from dali_voc.datasets._npz import npz_bytes, read_npz
from dali_voc.datasets._watched import first_changed
from dali_voc.errors import DatasetError

__all__ = ["read_index_file", "write_index_file"]

_FORMAT = "dali_voc index"
_VERSION = 2  # 2: whether colours are guessed
_FACTS = "facts"
_AGAIN = "run 'dali-voc index' again"


def write_index_file(
    path: Path,
    index: PairIndex,
    subject: IndexSubject,
    *,
    checked: bool,
    watched: list[str],
    stamps: npt.NDArray[np.int64],
) -> None:
    """Write an index whole or not at all.

    Args:
        path: the file.
        index: what was listed.
        subject: what it is of.
        checked: whether every file was there.
        watched: the paths whose changes make the file out of date.
        stamps: of these, see `stamps_of`.

    Raises:
        DatasetError: the files lie inside others.
        OSError: the file cannot be written.
    """
    facts, arrays = arrays_of(index, subject.root)
    facts |= {
        "format": _FORMAT,
        "version": _VERSION,
        "made_by": __version__,
        "name": subject.name,
        "root": subject.place,
        "split": subject.split,
        "options": subject.options,
        "checked": checked,
    }
    kept = b"\0".join(os.fsencode(to_root(place, subject.root)) for place in watched)
    whole: dict[str, Any] = {**arrays, "watched": np.frombuffer(kept, np.uint8), "stamps": stamps}
    facts["arrays"] = sorted(whole)
    whole[_FACTS] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    write_bytes(path, npz_bytes(**whole))


def read_index_file(path: Path, subject: IndexSubject, *, must_exist: bool) -> PairIndex:
    """Read the index of a split, if nothing has changed since it was written.

    Args:
        path: the file.
        subject: what it must be of.
        must_exist: every file must have been there when it was written; none is looked for now.

    Raises:
        DatasetError: there is no such file, it is damaged, of something else, or out of date.
    """
    arrays = _read_arrays(path)
    try:
        facts = json.loads(arrays[_FACTS].tobytes())
        known = facts["format"] == _FORMAT
        version, made_by = facts["version"], facts["made_by"]
    except (KeyError, TypeError, ValueError, RecursionError):
        known = False
    if not known:
        raise DatasetError(f"{path}: found another kind of file, expected one of 'dali-voc index'")
    if (version, made_by) != (_VERSION, __version__):
        raise DatasetError(
            f"{path}: found version {version!r} of an index, by dali_voc {made_by!r}, expected "
            f"{_VERSION} by {__version__}; {_AGAIN}"
        )
    try:
        if facts["arrays"] != sorted(name for name in arrays if name != _FACTS):
            raise ValueError("found other arrays in it than it should have")
        differs = subject.differs(
            name=facts["name"], place=facts["root"], split=facts["split"], options=facts["options"]
        )
        checked = facts["checked"]
        watched, stamps = _watched(arrays, subject.root)
        index = None if differs else index_from(facts, arrays, subject.root)
    except Exception as e:  # whatever can be wrong with values that nobody has looked at yet
        raise DatasetError(f"{path}: damaged index ({_reason(e)}); {_AGAIN}") from None
    if index is None:
        hint = _hint(differs)
        raise DatasetError(f"{path}: {differs}; {_AGAIN}{hint}")
    _check_age(path, watched, stamps)
    if must_exist and checked is not True:
        raise DatasetError(
            f"{path}: made without a look whether every file is there, which loader.on_error "
            f"'raise' expects; {_AGAIN}"
        )
    return index


def _watched(arrays: Arrays, root: Path) -> tuple[list[str], npt.NDArray[np.int64]]:
    text, stamps = arrays["watched"], arrays["stamps"]
    if text.ndim != 1 or text.dtype != np.uint8:
        raise ValueError("found 'watched'")
    paths = [from_root(os.fsdecode(path), root) for path in text.tobytes().split(b"\0")]
    if stamps.shape != (len(paths), 2) or stamps.dtype != np.int64:
        raise ValueError("found 'stamps'")
    return paths, stamps


def _check_age(path: Path, watched: list[str], stamps: npt.NDArray[np.int64]) -> None:
    changed = first_changed(watched, stamps)
    if changed is not None:
        how = "changed since" if os.path.exists(changed) else "is no longer there"
        raise DatasetError(f"{path}: older than {changed}, which {how}; {_AGAIN}")


def _read_arrays(path: Path) -> Arrays:
    try:
        # a file that is no zip would be taken for a single array, or for a pickle
        if not zipfile.is_zipfile(path):
            _raise_if_unreadable(path)
            raise DatasetError(f"{path}: not an .npz file, or cut off; {_AGAIN}")
        return read_npz(path)
    except FileNotFoundError:
        raise DatasetError(
            f"{path}: no such file, expected the one that 'dali-voc index' writes"
        ) from None
    except DatasetError:
        raise
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror or e})") from None
    except Exception as e:  # zip, zlib and NumPy raise many kinds on damaged files
        raise DatasetError(f"{path}: damaged index ({_reason(e)}); {_AGAIN}") from None


def _raise_if_unreadable(path: Path) -> None:
    with open(path, "rb") as file:
        file.read(1)


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"no {error}"
    # NumPy and pydantic say more than a line
    return (str(error) or type(error).__name__).splitlines()[0]


def _hint(differs: str | None) -> str:
    of_split = differs is not None and differs.startswith("made of split")
    return ", or put {split} into the file's name" if of_split else ""
