"""A year of PASCAL VOC, from its archive to its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dali_voc.datasets.voc import find_pairs
from dali_voc.downloading._archive import ArchiveError, unpack
from dali_voc.downloading._place import move_into_place, temporary_folder
from dali_voc.errors import DatasetError

__all__ = ["count_pairs", "unpack_voc"]

_LISTS = Path("ImageSets/Segmentation")
_NEEDED = (Path("JPEGImages"), Path("SegmentationClass"), _LISTS)


def count_pairs(root: Path) -> int:
    """Return how many pairs a folder of VOC has, all lists together, each of them complete.

    Raises:
        DatasetError: a list has a pair of which a file is missing, or there is no list.
    """
    lists = sorted(path.stem for path in (root / _LISTS).glob("*.txt"))
    own = [name for name in lists if name in {"train", "val", "trainval"}]
    if not own:
        raise DatasetError(f"{root / _LISTS}: found no list, expected train, val or trainval")
    return max(len(find_pairs(root, name).images) for name in own)


def unpack_voc(archive: Path, final: Path, *, progress: Callable[[int], None]) -> None:
    """Unpack an archive in VOC's layout; its data are in any folder of it.

    Args:
        archive: a tar file.
        final: the folder of the data, which is not there yet.
        progress: is told the bytes unpacked.

    Raises:
        ArchiveError: the archive is not as it should be.
        OSError: the disk does not take it.
    """
    with temporary_folder(final.parent / f".{final.name}.unpacking") as temporary:
        unpack(archive, temporary, progress=progress)
        found = [
            path.parent
            for path in sorted(temporary.rglob("JPEGImages"))
            if all((path.parent / name).is_dir() for name in _NEEDED)
        ]
        if len(found) != 1:
            raise ArchiveError(
                f"{archive}: found {len(found)} folders with {', '.join(map(str, _NEEDED))}, "
                "expected one"
            )
        try:
            count_pairs(found[0])
        except DatasetError as e:
            inside = str(e).replace(f"{temporary}/", "")
            raise ArchiveError(f"{archive}: its data are not complete: {inside}") from None
        move_into_place(found[0], final)
