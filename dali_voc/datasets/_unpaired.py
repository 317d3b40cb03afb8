"""Images without a label and labels without an image, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dali_voc.datasets._layout import some_of

__all__ = ["unpaired"]


def unpaired(
    images: Iterable[str], labels: Iterable[str], *, image: str, label: str, both_ways: bool = True
) -> str:
    """Return what is missing, with the first names and how many there are; empty if nothing is.

    Args:
        images: what images are paired by.
        labels: the same of label files, each once.
        image: what errors call the file that should be there.
        label: likewise.
        both_ways: a label must have an image, too.
    """
    without_label = set(images)
    without_image = []
    for name in labels:
        if name in without_label:
            without_label.remove(name)
        elif both_ways:
            without_image.append(name)
    found = [*_lacking(label, "image", without_label), *_lacking(image, "label", without_image)]
    return ", and ".join(found)


def _lacking(file: str, what: str, names: Collection[str]) -> list[str]:
    if not names:
        return []
    plural = "s" if len(names) > 1 else ""
    return [f"no {file} for {len(names)} {what}{plural} ({some_of(sorted(names))})"]
