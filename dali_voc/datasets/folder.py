"""Any folder of images and labels, whose paths follow patterns, with classes of its own."""

from __future__ import annotations

from pathlib import Path

from dali_voc.datasets._by_pattern import find_by_pattern
from dali_voc.datasets._index import PairIndex
from dali_voc.datasets._layout import there_are
from dali_voc.datasets._options import DatasetOptions
from dali_voc.datasets._own_classes import own_classes
from dali_voc.errors import DatasetError

__all__ = ["find_pairs"]


def find_pairs(
    root: Path,
    split: str,
    *,
    must_exist: bool = True,
    options: DatasetOptions | None = None,
) -> PairIndex:
    """Return the pairs of a split, sorted by name, or in the order of its list.

    Args:
        root: the folder that the patterns begin in.
        split: stands for `{split}` in the patterns. Where no pattern has it, the file
            `root/SPLIT.txt` lists the images of the split: what stands in the place of the
            wildcards of `images`, one a line. Without such files every split is all there is.
        must_exist: check that images and labels have a partner; else it turns out when they are
            read.
        options: `images`, `masks` and `classes` must be given; `map`.

    Raises:
        DatasetError: see `find_by_pattern` and `own_classes`; or the list cannot be read.
    """
    options = options or DatasetOptions()
    for key, pattern in (("images", options.images), ("masks", options.masks)):
        if pattern is None:
            raise DatasetError(
                f"dataset.{key}: found null, expected a pattern below the root such as "
                "'{split}/**/*.png'"
            )
    images, masks = options.images or "", options.masks or ""
    listed = "{split}" not in images + masks
    spec = own_classes("folder", options)
    found = find_by_pattern(
        root,
        split,
        images=images,
        masks=masks,
        chosen=_read_list(root, split) if listed else None,
        must_exist=must_exist,
    )
    # a list that is not there yet counts: it would change what is found
    lists = (str(_list_path(root, split)),) if listed else ()
    return PairIndex(images=found[0], labels=found[1], spec=spec, made_from=(*lists, *found[2]))


def _list_path(root: Path, split: str) -> Path:
    return root / f"{split}.txt"


def _read_list(root: Path, split: str) -> list[str] | None:
    path = _list_path(root, split)
    try:
        # names may be any bytes; editors on Windows put a mark at the beginning
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except FileNotFoundError:
        known = sorted(p.stem for p in root.glob("*.txt"))
        if known:
            raise DatasetError(
                f"{path}: no such file, expected the list of split '{split}'; "
                f"{there_are(split, known)}"
            ) from None
        return None
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read as a list of stems ({e.strerror})") from None
    stems = [line.strip() for line in text.splitlines() if line.strip()]
    if not stems:
        raise DatasetError(f"{path}: the list of split '{split}' is empty, expected stems")
    return stems
