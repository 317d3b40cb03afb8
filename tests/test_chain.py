"""`ChainList`: lists of files one after another, as `sources` makes them."""

from __future__ import annotations

import os

import numpy as np
import pytest

from dali_voc.datasets import ChainList, PathList

NAMES = (["a", "bc", "def"], [], ["x" * 30, "y"])
PREFIXES = ("/one/", "/none/", "/a longer one/")


def chain() -> tuple[ChainList, list[str], list[str]]:
    """The chain, and plain lists of its paths and stems."""
    pairs = [
        (f"{prefix}{stem}.png", stem)
        for prefix, stems in zip(PREFIXES, NAMES, strict=True)
        for stem in stems
    ]
    lists = [
        PathList(stems, prefix=prefix, suffix=".png")
        for prefix, stems in zip(PREFIXES, NAMES, strict=True)
    ]
    return ChainList(lists), [path for path, _ in pairs], [stem for _, stem in pairs]


@pytest.mark.parametrize("keep", [None, (4, 0, 0, 3), ((4, 2, 3, 1), (2, 0, 3))])
def test_a_chain_is_like_one_list(keep: tuple[int, ...] | tuple[tuple[int, ...], ...]) -> None:
    files, paths, stems = chain()
    rounds = [] if keep is None else [keep] if isinstance(keep[0], int) else keep
    for rows in rounds:
        files = files.select(rows)
        paths, stems = [paths[i] for i in rows], [stems[i] for i in rows]
    count = range(len(paths))
    assert len(files) == len(paths)
    assert [files[i] for i in count] == paths
    assert [files.stem(i) for i in count] == stems
    assert b"".join(files.stems()) == b"".join(os.fsencode(stem) + b"\0" for stem in stems)
    samples = np.array([*reversed(count), 0])
    found = [bytes(row).rstrip(b"\0").decode() for row in files.encoded(samples)]
    assert found == [paths[i] for i in samples]
    assert files.records(samples) is None
    for i in (-1, len(paths)):
        with pytest.raises(IndexError):
            files[i]
