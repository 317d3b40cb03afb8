"""The index of a tar shard, and the file that keeps it until the shard changes."""

from __future__ import annotations

import hashlib
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dali_voc._files import write_bytes
from dali_voc.datasets._npz import npz_bytes, read_npz
from dali_voc.datasets._packed_names import Names
from dali_voc.datasets._tar_scan import IMAGES, LABELS, Member, scan_shard
from dali_voc.errors import DatasetError, printable

__all__ = ["ShardIndex", "load_index"]

_log = logging.getLogger("dali_voc")
_VERSION = 3
_ENDINGS = {False: ".dali_voc.npz", True: ".images.dali_voc.npz"}  # by `unlabeled`


@dataclass(frozen=True, kw_only=True)
class ShardIndex:
    """Where the pairs of a shard are.

    Attributes:
        version: of this form, and of the shard that it is of size (bytes), time of modification
            (nanoseconds), number (inode) and time of change, int64 [5]: tools that write tar again
            and again give it the same time and, as sizes are rounded up, the same size.
        text: see `Names`.
        ends: likewise.
        hashes: 64 bits of each key, uint64 [n].
        offset: of image and label, int64 [n, 2].
        size: likewise, bytes.
        suffix: their places in `IMAGES` and `LABELS`, uint8 [n, 2].
        said: what was noted of the shard, lines of UTF-8.
    """

    version: npt.NDArray[np.int64]
    text: npt.NDArray[np.uint8]
    ends: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    offset: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    suffix: npt.NDArray[np.uint8]
    said: npt.NDArray[np.uint8]

    def notes(self) -> list[str]:
        """Return what was noted of the shard."""
        return self.said.tobytes().decode(errors="replace").splitlines()

    def __len__(self) -> int:
        return len(self.ends)


def load_index(shard: Path, *, unlabeled: bool = False) -> ShardIndex:
    """Return a shard's index from its file, or make it and keep it.

    The file lies beside the shard; where that cannot be, in the user's cache folder.

    Args:
        shard: the shard.
        unlabeled: see `scan_shard`.

    Raises:
        DatasetError: the shard cannot be read, or is not a sound tar of pairs.
    """
    try:
        version = _version(shard)
    except OSError as e:
        raise DatasetError(f"{shard}: cannot be read ({e.strerror})") from None
    name = f"{shard.name}{_ENDINGS[unlabeled]}"
    places = [shard.with_name(f".{name}"), *_in_cache(shard, name)]
    for place in places:
        kept = _read(place)
        if kept is not None and np.array_equal(kept.version, version) and _makes_sense(kept):
            return kept
    index = _make(shard, version, unlabeled=unlabeled)
    file = npz_bytes(**asdict(index))
    for place in places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(place, file, follows_links=False)
            break
        except OSError as e:
            problem = e
    else:
        _log.warning(
            "%s: its index cannot be kept, neither beside it nor in the user's cache folder (%s); "
            "it is made at every start",
            printable(str(shard)),
            printable(str(problem)),
        )
    return index


def _version(shard: Path) -> npt.NDArray[np.int64]:
    found = shard.stat()
    facts = [_VERSION, found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns]
    # numbers of files have 64 bits without a sign, times before 1970 one
    return np.array([fact & (1 << 64) - 1 for fact in facts], np.uint64).view(np.int64)


def _in_cache(shard: Path, name: str) -> list[Path]:
    """Return the place in the user's cache folder; nothing for a user who has none."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if cache.startswith("~"):  # neither HOME nor an entry among the system's users
        return []
    path = hashlib.sha256(os.fsencode(shard.absolute())).hexdigest()[:16]
    return [Path(cache, "dali_voc", f"{path}-{name}")]


def _read(path: Path) -> ShardIndex | None:
    """Return what a file holds; None if there is none, or it is damaged."""
    try:
        found = read_npz(path)
        index = ShardIndex(**{name: found[name] for name in ShardIndex.__annotations__})
    except Exception:  # of damaged bytes zipfile and NumPy raise many kinds
        return None
    return index if index.version.shape == (5,) and index.version[0] == _VERSION else None


def _makes_sense(index: ShardIndex) -> bool:
    """Return whether it can be the index of its shard: anybody may have put it there."""
    n = index.ends.size
    wanted = {
        "text": (index.text.shape, np.uint8),
        "ends": ((n,), np.int64),
        "hashes": ((n,), np.uint64),
        "offset": ((n, 2), np.int64),
        "size": ((n, 2), np.int64),
        "suffix": ((n, 2), np.uint8),
        "said": (index.said.shape, np.uint8),
    }
    arrays = {name: getattr(index, name) for name in wanted}
    if any((arrays[name].shape, arrays[name].dtype) != wanted[name] for name in wanted):
        return False
    ends, last, size = index.ends, int(index.version[1]), index.size
    return bool(
        index.text.ndim == index.said.ndim == 1
        and (np.diff(ends, prepend=0) > 0).all()
        and int(ends[-1] if n else 0) == len(index.text)
        and (index.suffix < (len(IMAGES), len(LABELS))).all()
        and ((index.offset >= 0) & (size >= 0) & (size <= last)).all()
        and (index.offset <= last - size).all()
    )


def _make(shard: Path, version: npt.NDArray[np.int64], *, unlabeled: bool) -> ShardIndex:
    scan = scan_shard(shard, unlabeled=unlabeled)
    pairs = scan.pairs
    keys = [os.fsencode(key) for key in pairs]
    names = Names.of(keys)
    hashes = b"".join(hashlib.blake2b(key, digest_size=8).digest() for key in keys)

    def of_each(name: str, dtype: Any) -> npt.NDArray[Any]:
        values = [[getattr(member, name) for member in pair] for pair in pairs.values()]
        return np.array(values, dtype).reshape(-1, 2)

    return ShardIndex(
        version=version,
        text=names.text,
        ends=names.ends,
        hashes=np.frombuffer(hashes, np.uint64),
        offset=of_each("offset", np.int64),
        size=of_each("size", np.int64),
        suffix=np.array([_suffixes(*pair) for pair in pairs.values()], np.uint8).reshape(-1, 2),
        said=np.frombuffer("\n".join(map(printable, scan.notes)).encode(), np.uint8),
    )


def _suffixes(image: Member, label: Member) -> tuple[int, int]:
    place = 0 if label is image else LABELS.index(label.suffix)  # where there is no label
    return IMAGES.index(image.suffix), place
