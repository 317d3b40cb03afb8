"""`PathList`: paths as text and as the operators take them."""

from __future__ import annotations

import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dali_voc.datasets._path_list import PathList

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=12)


@given(stems=st.lists(TEXT, max_size=8), prefix=TEXT, suffix=TEXT, data=st.data())
def test_encoded_rows_are_the_paths(
    stems: list[str], prefix: str, suffix: str, data: st.DataObject
) -> None:
    paths = PathList(stems, prefix=prefix, suffix=suffix)
    chosen = st.lists(st.integers(0, len(stems) - 1), max_size=12) if stems else st.just([])
    samples = np.array(data.draw(chosen), np.int64)
    rows = paths.encoded(samples)
    expected = [os.fsencode(prefix + stems[i] + suffix) for i in samples]
    assert rows.dtype == np.uint8
    assert [bytes(row).rstrip(b"\0") for row in rows] == expected
    assert rows.shape[1] >= max(map(len, expected), default=0)
    assert [paths[i] for i in samples] == [os.fsdecode(path) for path in expected]


@given(stems=st.lists(TEXT, min_size=1, max_size=8), affixes=st.lists(TEXT, min_size=4, max_size=4))
def test_the_same_stems_between_others(stems: list[str], affixes: list[str]) -> None:
    paths = PathList(stems, prefix=affixes[0], suffix=affixes[1])
    others = paths.between(affixes[2], affixes[3])
    assert [others[i] for i in range(len(others))] == [affixes[2] + s + affixes[3] for s in stems]
    assert [paths[i] for i in range(len(paths))] == [affixes[0] + s + affixes[1] for s in stems]
    assert b"".join(others.stems()) == b"".join(paths.stems())
