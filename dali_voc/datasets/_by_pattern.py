"""Pairs of images and labels whose paths follow two patterns."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from dali_voc._repeats import repeated
from dali_voc.datasets._layout import list_folders, some_of
from dali_voc.datasets._path_list import PathList
from dali_voc.datasets._patterns import Patterns
from dali_voc.datasets._unpaired import unpaired
from dali_voc.errors import DatasetError, printable

__all__ = ["find_by_pattern"]

_log = logging.getLogger("dali_voc")


def find_by_pattern(
    root: Path,
    split: str,
    *,
    images: str,
    masks: str | None,
    chosen: Sequence[str] | None = None,
    listed_in: Path | None = None,
    must_exist: bool,
    unlabeled: bool = False,
) -> tuple[PathList, PathList, tuple[str, ...]]:
    """Return images and labels, paired by the text that the wildcards of the patterns stand for.

    The third is which folders were looked into.

    A file that both patterns match belongs to the one that says more of it: `*.png` and `*_L.png`
    may be in one folder.

    Args:
        root: the folder that the patterns begin in.
        split: stands for `{split}` in them.
        images: see `Pattern`.
        masks: of the labels; it has as many wildcards. None: there are none.
        chosen: stems of images in order; None: all, sorted.
        listed_in: the file that lists these.
        must_exist: check that there is a label for each image and, unless some are chosen, the
            other way round; else it turns out when labels are read, and what has no image is
            logged.
        unlabeled: labels are not looked for: the images stand in their place.

    Raises:
        DatasetError: a pattern is none, there are no images, or some have no partner.
    """
    of_images = Patterns.parse(images, split, key="images")
    of_masks = None if masks is None else Patterns.parse(masks, split, key="masks")
    if of_masks and not unlabeled:
        _check_both(of_images, of_masks, images, masks)
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder, expected one with {of_images.text} below it")
    listed: set[str] = set()
    found: dict[str, str] = {}
    if chosen is None or must_exist or len(of_images.each) > 1:
        found = of_images.find(root, of_masks, listed, always=unlabeled)
        if not found:
            patterns = [images] if masks is None or unlabeled else [images, masks]
            hint = _where_else(root, split, of_images, *patterns)
            raise DatasetError(f"{root}: found no images, expected {of_images.text}{hint}")
    stems = sorted(found) if chosen is None else list(chosen)
    if chosen is not None and must_exist:
        _check_chosen(listed_in or root, stems, found, of_images)
    paths = of_images.paths(root, stems, found)
    if unlabeled or of_masks is None:
        return paths, paths, tuple(sorted(listed))
    partners = stems
    if of_images.middle != of_masks.middle:
        partners = [of_masks.fill(_groups(of_images, stem, root)) for stem in stems]
        if must_exist:
            _check_partners_differ(root, of_images, of_masks, partners)
    endings: dict[str, str] = {}
    if len(of_masks.each) > 1:
        endings = of_masks.find(root, of_images, listed)
    labels = endings or of_masks.stems(root, of_images, listed)  # none is listed before its turn
    if must_exist:
        _check_partners(root, of_images, of_masks, partners, labels, all_of_them=chosen is None)
    elif chosen is None:
        with contextlib.suppress(DatasetError):  # what cannot be listed turns out as well
            _warn_of_labels_alone(root, of_images, of_masks, partners, labels)
    folders = tuple(sorted(listed))
    if partners is stems and len(of_images.each) == len(of_masks.each) == 1:
        (mask,) = of_masks.each
        # the text of their stems is kept once
        return paths, paths.between(f"{root}/{mask.prefix}", mask.suffix), folders
    return paths, of_masks.paths(root, partners, endings), folders


def _warn_of_labels_alone(
    root: Path,
    of_images: Patterns,
    of_masks: Patterns,
    partners: list[str],
    labels: Iterable[str],
) -> None:
    """Log which labels have no image: nobody will miss them in reading the others."""
    alone = set(labels).difference(partners)
    if alone:
        _log.warning(
            "%s: %d labels have no image %s and are left out (%s)",
            printable(str(root)),
            len(alone),
            of_images.text,
            printable(some_of(sorted(of_masks.file(stem) for stem in alone))),
        )


def _check_both(of_images: Patterns, of_masks: Patterns, images: str, masks: str | None) -> None:
    if of_images.wildcards != of_masks.wildcards:
        raise DatasetError(
            f"dataset.masks: found {masks!r}, expected as many wildcards as in dataset.images, "
            f"{images!r}: the texts that they stand for pair the files"
        )
    if set(of_images.each) & set(of_masks.each):
        raise DatasetError(
            f"dataset.masks: found {masks!r}, expected another pattern than that of dataset.images"
        )


def _where_else(root: Path, split: str, of_images: Patterns, *patterns: str) -> str:
    """Return a hint at why there are no images."""
    there = _known_splits(root, *patterns)
    if there and split not in there:
        return f"; splits there are: {', '.join(there)}"
    if re.search(r"[?\[]", of_images.text):
        return "; only * and ** are wildcards"
    other = sorted(of_images.of_other_endings(root))
    return f"; of other endings there are {some_of(other)}" if other else ""


def _groups(pattern: Patterns, stem: str, root: Path) -> tuple[str, ...]:
    found = pattern.groups(stem)
    if found is None:
        raise DatasetError(f"{root}: found the stem {stem!r}, expected one of {pattern.text}")
    return found


def _check_chosen(where: Path, stems: list[str], there: Collection[str], pattern: Patterns) -> None:
    twice = repeated(stems)
    if twice:
        raise DatasetError(
            f"{where}: the split's list has lines more than once ({some_of(twice)}), expected each "
            "once"
        )
    missing = [stem for stem in stems if stem not in there]
    if missing:
        ends = [end for end in pattern.suffixes if end and missing[0].endswith(end)]
        with_end = ends and all(stem.endswith(pattern.suffixes) for stem in missing)
        some = min(there)
        hint = f"; expected lines without '{ends[0]}'" if with_end else ""
        hint += f", such as '{some}'" if hint else f"; expected lines such as '{some}'"
        raise DatasetError(
            f"{where}: found no image {pattern.text} for lines of the split's list: "
            f"{some_of(missing)}{hint}"
        )


def _check_partners(
    root: Path,
    images: Patterns,
    masks: Patterns,
    partners: list[str],
    labels: Iterable[str],
    *,
    all_of_them: bool,
) -> None:
    found = unpaired(
        partners,
        labels,
        image=images.text,
        label=masks.text,
        both_ways=all_of_them,
    )
    if found:
        raise DatasetError(
            f"{root}: expected a label {masks.text} for each image {images.text}, found {found}"
        )


def _check_partners_differ(
    root: Path, images: Patterns, masks: Patterns, partners: list[str]
) -> None:
    """Refuse a label of two images: by `**/*.jpg` and `*_*.png`, a_b_c is of a/b_c and of a_b/c."""
    files = [masks.file(stem) for stem in sorted(repeated(partners))]
    if files:
        raise DatasetError(
            f"{root}: expected a label {masks.text} for each image {images.text}, found several "
            f"images for {len(files)} labels ({some_of(files)})"
        )


def _known_splits(root: Path, *patterns: str) -> list[str]:
    """Return for which splits all the patterns that have a {split} have a folder."""
    named = [_split_names(root, pattern) for pattern in patterns if "{split}" in pattern]
    return sorted(set.intersection(*named)) if named else []


def _split_names(root: Path, pattern: str) -> set[str]:
    before, _, after = pattern.partition("{split}")
    folder, _, start = before.rpartition("/")
    end, slash, _ = after.partition("/")
    if "*" in before + end or not slash or not (root / folder).is_dir():
        return set()
    match: Callable[[str], re.Match[str] | None] = re.compile(
        f"{re.escape(start)}(.+){re.escape(end)}", re.DOTALL
    ).fullmatch
    return {found[1] for name in list_folders(root / folder) if (found := match(name))}
