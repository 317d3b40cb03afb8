"""A data set from its public address, or another, to its folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dali_voc.datasets import voc2012_aug
from dali_voc.downloading._address import shown
from dali_voc.downloading._archive import ArchiveError
from dali_voc.downloading._catalogue import SBD, Archive
from dali_voc.downloading._choose import archive_name, local_path
from dali_voc.downloading._part import Part
from dali_voc.downloading._place import the_only_one, voc_root
from dali_voc.downloading._sbd import LABELS, add_sbd, check_scipy
from dali_voc.downloading._space import check_space
from dali_voc.downloading._transfer import Patience, Progress, check_file, fetch
from dali_voc.downloading._voc import count_pairs, unpack_voc
from dali_voc.errors import DatasetError, DownloadError

__all__ = ["Downloaded", "download"]

_log = logging.getLogger("dali_voc")

# 12,031 small PNG files, each in blocks of its own
_SPACE_FOR_SBD = 200_000_000


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """A data set that is there.

    Attributes:
        dataset: what `dataset.name` must be.
        root: what `dataset.root` must be.
        pairs: how many pairs its lists have.
        was_there: whether nothing had to be done.
    """

    dataset: str
    root: Path
    pairs: int
    was_there: bool


def download(
    name: str,
    root: Path,
    *,
    archive: Archive,
    keep: bool = False,
    patience: Patience | None = None,
    progress: Progress = lambda what, done, total: None,
) -> Downloaded:
    """Fetch a data set, check and unpack it, unless it is there.

    The archive lies in `root` until it is unpacked, the data in `root/VOCdevkit/VOC2012` or of
    another year; neither has its final name before it is complete.

    Args:
        name: a name of `ARCHIVES`.
        root: the folder, which is made if it is missing; `VOCdevkit` or `VOC2012` in it will do.
        archive: where from; see `choose_archive`.
        keep: do not delete the archive afterwards.
        patience: how often to try.
        progress: is told what is being done, and how far it is.

    Raises:
        DownloadError: it cannot be had, is not what it should be, or has no room.
        OSError: the disk does not take it.
    """
    sbd = name == SBD
    root, final = voc_root(root, "VOC2012" if sbd else name.upper())
    dataset = SBD if sbd else "voc2012"
    with the_only_one(root):
        pairs = _there(final, sbd=sbd)
        was_there = pairs is not None
        if pairs is None:
            with _archive_file(
                archive,
                root / archive_name(archive, name),
                keep=keep,
                patience=patience or Patience(),
                progress=progress,
                final=final,
                unpacked=_SPACE_FOR_SBD if sbd else None,
            ) as path:
                size = path.stat().st_size
                if sbd:
                    add_sbd(path, final, progress=lambda n: progress("labels", n, None))
                else:
                    unpack_voc(path, final, progress=lambda n: progress("unpacking", n, size))
            pairs = _there(final, sbd=sbd)
            assert pairs is not None  # it has just been put there
    return Downloaded(dataset=dataset, root=final, pairs=pairs, was_there=was_there)


def _there(final: Path, *, sbd: bool) -> int | None:
    """Return how many pairs there are, or None where there is nothing yet.

    Raises:
        DownloadError: there is something else, or nothing to add SBD's labels to.
    """
    try:
        if sbd:
            count_pairs(final)
            if not (final / LABELS).exists():
                check_scipy()
                return None
            return len(voc2012_aug.find_pairs(final, "trainval_aug").images)
        if not final.exists() or (final.is_dir() and not any(final.iterdir())):
            return None
        return count_pairs(final)
    except DatasetError as e:
        if sbd and not final.exists():
            raise DownloadError(
                f"{final}: no such folder, expected VOC 2012, to which SBD adds labels; "
                "first run 'dali-voc download voc2012'"
            ) from None
        raise DownloadError(
            f"{final}: found something else or a part of the data ({e}), expected all of it or "
            "nothing; move it away"
        ) from None


@contextmanager
def _archive_file(
    archive: Archive,
    path: Path,
    *,
    keep: bool,
    patience: Patience,
    progress: Progress,
    final: Path,
    unpacked: int | None,
) -> Iterator[Path]:
    """Give the archive, whole and checked; what was fetched is deleted at the end."""
    if archive.checksum is None:
        _log.warning(
            "%s: its checksum is not known, so only its form is checked", shown(archive.url)
        )
    above = final.parent if final.parent.is_dir() else path.parent

    def enough(coming: int, total: int) -> None:
        check_space((path.parent, coming), (above, total if unpacked is None else unpacked))

    local = local_path(archive)
    if local is not None:
        if not local.is_file():
            raise DownloadError(f"{local}: no such file, expected an archive")
        enough(0, local.stat().st_size)
        check_file(archive, local, progress=progress)
        yield local
        return

    fetch(archive, path, patience=patience, progress=progress, check_space=enough)
    enough(0, path.stat().st_size)
    try:
        yield path
    except ArchiveError:
        if archive.checksum is None:
            Part(path).forget()  # another try should not meet it again
        raise
    if not keep:
        Part(path).forget()
