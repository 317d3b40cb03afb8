"""SBD's labels beside a folder of VOC 2012: MATLAB files to gray PNG, and the usual lists.

What circulates as `SegmentationClassAug` has no official address. This makes its like of SBD's own
archive: pictures that VOC labels keep VOC's label, the others of SBD get SBD's. `train_aug` is all
of them less VOC's `val`, 10,582 pictures, and `trainval_aug` all, 12,031.
"""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from dali_voc._files import write_text
from dali_voc.datasets._layout import missing_stems
from dali_voc.downloading._archive import ArchiveError, open_archive
from dali_voc.downloading._place import move_into_place, temporary_folder
from dali_voc.errors import DownloadError

__all__ = ["LABELS", "add_sbd", "check_scipy"]

LABELS = "SegmentationClassAug"
_LISTS = Path("ImageSets/Segmentation")
_CLASSES = 21


def check_scipy() -> None:
    """Check that what reads MATLAB's files is installed.

    Raises:
        DownloadError: it is not.
    """
    if importlib.util.find_spec("scipy") is None:
        raise DownloadError(
            "found no package scipy, which reads SBD's labels; expected it to be installed, by "
            "'pip install scipy' or with dali-voc[sbd]"
        )


def add_sbd(archive: Path, voc: Path, *, progress: Callable[[int], None]) -> None:
    """Add SBD's labels and lists to a folder of VOC 2012.

    Args:
        archive: SBD's `benchmark.tgz`.
        voc: the folder `VOC2012`, which has no `SegmentationClassAug`.
        progress: is told the bytes of labels done.

    Raises:
        ArchiveError: the archive is not as it should be.
        DownloadError: the folder has other lists of these names.
        OSError: the disk does not take it.
    """
    ours = {name: _ids(voc / _LISTS / f"{name}.txt") for name in ("train", "val")}
    with temporary_folder(voc / f".{LABELS}.unpacking") as temporary:
        listed = _convert(archive, temporary, progress=progress)
        absent = [name for name in sorted(listed) if not (temporary / f"{name}.png").exists()]
        absent += sorted(missing_stems(sorted(listed), voc / "JPEGImages", ".jpg"))
        if absent or not listed:
            what = f"'{absent[0]}' in a list only" if absent else "no lists train.txt and val.txt"
            raise ArchiveError(f"{archive}: found {what}, expected SBD's labels of VOC's pictures")
        for name in ours["train"] | ours["val"]:
            shutil.copyfile(voc / f"SegmentationClass/{name}.png", temporary / f"{name}.png")
        everything = listed | ours["train"] | ours["val"]
        _write_list(voc / _LISTS / "train_aug.txt", everything - ours["val"])
        _write_list(voc / _LISTS / "trainval_aug.txt", everything)
        # last: without this folder the lists do no harm
        move_into_place(temporary, voc / LABELS)


def _convert(archive: Path, folder: Path, *, progress: Callable[[int], None]) -> set[str]:
    """Write `ID.png` for each label of the archive, and return the ids of its lists."""
    listed: set[str] = set()
    done = 0
    with open_archive(archive, only_files=True) as files:
        for name, content in files:
            path = PurePosixPath(name)
            if path.name in {"train.txt", "val.txt"} and path.parent.name == "dataset":
                listed |= set(content.read().decode().split())
            elif path.parent.name == "cls" and path.suffix == ".mat":
                data = content.read()
                label = _read_mat(data, f"{archive}: {name}")
                Image.fromarray(label).save(folder / f"{path.stem}.png")
                done += len(data)
                progress(done)
    return listed


def _read_mat(data: bytes, where: str) -> npt.NDArray[np.uint8]:
    from scipy.io import loadmat  # noqa: PLC0415, optional

    try:
        label: npt.NDArray[Any] = loadmat(io.BytesIO(data))["GTcls"][0]["Segmentation"][0]
    except Exception as e:  # scipy has no exception of its own for damaged files
        raise ArchiveError(f"{where}: cannot be read as a label of SBD ({e})") from None
    if label.dtype != np.uint8 or label.ndim != 2 or label.max(initial=0) >= _CLASSES:
        raise ArchiveError(
            f"{where}: found {label.dtype} {list(label.shape)} up to {label.max(initial=0)}, "
            f"expected uint8 [height, width] up to {_CLASSES - 1}"
        )
    return label


def _ids(path: Path) -> set[str]:
    return set(path.read_text().split())


def _write_list(path: Path, ids: set[str]) -> None:
    if path.exists() and _ids(path) != ids:
        raise DownloadError(
            f"{path}: found a list of other pictures, expected none or the same; move it away"
        )
    write_text(path, "".join(f"{name}\n" for name in sorted(ids)))
