"""Finds the pairs in one tar shard by walking through its headers."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dali_voc.datasets._layout import some_of
from dali_voc.datasets._tar_walk import walk
from dali_voc.errors import DatasetError

__all__ = ["IMAGES", "LABELS", "Member", "Scan", "scan_shard"]

# What follows a key's first dot; the first that a key has counts. A key of a JPEG image may have a
# plain PNG label; where the image is PNG too, the label's name says so.
IMAGES = ("jpg", "jpeg", "png")
LABELS = ("seg.png", "mask.png", "label.png", "png")


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in a tar.

    Attributes:
        suffix: its name from the key's dot on, without the dot.
        offset: where its bytes begin.
        size: how many they are.
    """

    suffix: str
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in a shard.

    Attributes:
        pairs: image and label of each key, in the order in which the keys occur first.
        notes: sentences about what may not be meant.
    """

    pairs: dict[str, tuple[Member, Member]]
    notes: list[str]


def scan_shard(path: Path, *, unlabeled: bool = False) -> Scan:
    """Return what is in a shard.

    A key is a member's path up to the first dot of its last part, as WebDataset has it. Members
    that are neither image nor label are passed over.

    Args:
        path: the shard.
        unlabeled: labels are not looked for; the image stands in the label's place.

    Raises:
        DatasetError: the file is compressed, cut short, damaged or no tar; a key has no image, no
            label, or a file twice.
    """
    found: dict[str, dict[str, Member]] = {}
    twice: list[str] = []
    notes: list[str] = []
    for name, member in _members(path, notes):
        members = found.setdefault(name, {})
        if member.suffix in members:
            twice.append(f"{name}.{member.suffix}")
        members[member.suffix] = member
    _refuse(path, "members that occur twice", twice, "each once")
    _refuse(
        path,
        "keys with two images",
        [key for key, members in found.items() if {"jpg", "jpeg"} <= members.keys()],
        "one .jpg or .jpeg",
    )
    if unlabeled:
        images = {key: _first(members, IMAGES) for key, members in found.items()}
        notes += _note_mixed(images)
        shown = {key: (image, image) for key, image in images.items() if image}
        return Scan(pairs=shown, notes=notes)
    notes += _note_several(found)
    pairs = {key: _pair(members) for key, members in found.items()}
    _refuse(
        path, "labels without an image", _lacking(pairs, 0), "KEY.jpg, KEY.jpeg or KEY.png as well"
    )
    _refuse(path, "images without a label", _lacking(pairs, 1), "KEY.png or KEY.seg.png as well")
    complete = {key: (image, label) for key, (image, label) in pairs.items() if image and label}
    return Scan(pairs=complete, notes=notes)


def _note_mixed(images: dict[str, Member | None]) -> Iterator[str]:
    """Where labels are not looked for, one whose image is not there looks like an image."""
    is_png = {key: image.suffix == "png" for key, image in images.items() if image}
    alone = [key for key, png in is_png.items() if png]
    if alone and len(alone) < len(is_png):
        yield (
            f"{len(alone)} pictures are PNG and have no JPEG beside them, as the others do "
            f"({some_of(alone)}): they are taken for images, though they may be labels"
        )


def _note_several(found: dict[str, dict[str, Member]]) -> Iterator[str]:
    several = [
        key
        for key, members in found.items()
        if sum(suffix in members for suffix in LABELS) > 1 + (not members.keys() & {"jpg", "jpeg"})
    ]
    if several:
        yield (
            f"{len(several)} keys have several labels ({some_of(several)}): the first of "
            f"{', '.join(f'.{suffix}' for suffix in LABELS)} is taken"
        )


def _pair(members: dict[str, Member]) -> tuple[Member | None, Member | None]:
    label = _first(members, LABELS)
    images = [members[suffix] for suffix in IMAGES if suffix in members]
    image = next((member for member in images if member is not label), None)
    return image, label


def _first(members: dict[str, Member], suffixes: tuple[str, ...]) -> Member | None:
    return next((members[suffix] for suffix in suffixes if suffix in members), None)


def _lacking(pairs: dict[str, tuple[Member | None, Member | None]], place: int) -> list[str]:
    """Return the keys that have only the other one of the two."""
    return [key for key, pair in pairs.items() if pair[place] is None and pair[1 - place]]


def _refuse(path: Path, what: str, offenders: list[str], expected: str) -> None:
    if offenders:
        raise DatasetError(
            f"{path}: found {len(offenders)} {what} ({some_of(offenders)}), expected {expected}"
        )


def _members(path: Path, notes: list[str]) -> Iterator[tuple[str, Member]]:
    """Yield key and place of each image or label; add to notes at the end."""
    passed_over: list[str] = []
    for info, size in walk(path, notes):
        folder, slash, base = info.name.rpartition("/")
        key, dot, suffix = base.partition(".")
        suffix = suffix.lower()
        if not dot or info.isdir() or base.startswith("._"):  # macOS makes such files
            continue
        if suffix not in (*IMAGES, *LABELS):
            if suffix.rpartition(".")[2] in IMAGES:
                passed_over.append(info.name)
            continue
        _check_member(path, info, size)
        yield (
            f"{folder}{slash}{key}",
            Member(suffix=suffix, offset=info.offset_data, size=info.size),
        )
    if passed_over:
        notes.append(
            f"{len(passed_over)} pictures are passed over ({some_of(passed_over)}): what follows "
            "the first dot of their names is neither an image's nor a label's ending"
        )


def _check_member(path: Path, info: tarfile.TarInfo, size: int) -> None:
    """Refuse what is no whole file; `size` is the tar's."""
    if not info.isreg():
        raise DatasetError(f"{path}: {info.name} is {_kind(info)}, expected a file")
    if info.issparse():
        raise DatasetError(
            f"{path}: {info.name} is stored as a sparse file, expected one as it is, as tar stores "
            "them without --sparse"
        )
    if info.offset_data + info.size > size:
        raise DatasetError(f"{path}: truncated tar, it ends inside {info.name}")


def _kind(info: tarfile.TarInfo) -> str:
    if info.islnk():
        return "a hard link, of which GNU tar makes a file by --hard-dereference"
    if info.issym():
        return "a symbolic link, of which GNU tar makes a file by --dereference"
    return f"a member of type {info.type.decode('ascii', 'backslashreplace')!r}"
