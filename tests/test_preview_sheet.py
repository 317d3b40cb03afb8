"""The sheet's layout: it holds what is to be read, whatever the sizes and the names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from dali_voc.labels import LabelSpec, colorize
from dali_voc.previewing import (
    REST,
    STRANGE,
    VOID,
    Cell,
    Panel,
    draw_sheet,
    find_entries,
    to_codes,
)
from dali_voc.previewing import paint as paint_codes
from dali_voc.previewing._text import fit, font, legible

SPEC = LabelSpec(classes=("background", "cat", "dog"), colors=((0, 0, 0), (64, 0, 0), (64, 0, 128)))


def many_classes(n: int) -> LabelSpec:
    return LabelSpec(
        classes=tuple(f"class {i}, also called something rather long" for i in range(n)),
        colors=tuple((i % 251, i // 251, 90) for i in range(n)),
        void_values=(65535,),
    )


def cell(height: int, width: int, *, name: str = "sample", code: int = 1) -> Cell:
    image = np.full((height, width, 3), 120, np.uint8)
    codes = np.full((height, width), code, np.int32)
    return Cell(name=name, panels=(Panel(pixels=image), Panel(pixels=codes)))


def test_entries_are_what_occurs() -> None:
    maps = [np.array([[0, 2, 2], [VOID, VOID, STRANGE]], np.int32), np.full((2, 1), REST, np.int32)]
    entries = find_entries(maps, SPEC, ignore_index=255, also=[np.ones((4, 4), np.int32)])
    assert [(e.name, e.pixels) for e in entries] == [
        ("background", 1),
        ("cat", 0),
        ("dog", 2),
        ("void (ignored)", 2),
        ("in none of the masks", 2),
        ("an index of no class", 1),
    ]
    assert sum(e.share for e in entries) == pytest.approx(1)
    assert [e.color for e in entries[:3]] == list(SPEC.colors)


def test_codes_of_indices() -> None:
    labels = np.array([[[0, 1, 2], [3, 255, 9]]])
    assert to_codes(labels, num_classes=3, ignore_index=255).tolist() == [
        [[0, 1, 2], [STRANGE, VOID, STRANGE]]
    ]
    # an index that is a class stays one, and the legend says that it is ignored
    codes = to_codes(labels[..., :1, :], num_classes=3, ignore_index=0)
    assert codes.tolist() == [[[0, 1, 2]]]
    names = [e.name for e in find_entries([codes], SPEC, ignore_index=0)]
    assert names == ["background (ignored)", "cat", "dog"]


def test_more_than_256_classes() -> None:
    spec = many_classes(1000)
    labels = np.array([[0, 300, 999], [7, 65534, 256]])
    painted = colorize(labels, spec, ignore_index=65534)
    expected = [spec.colors[i] if i < 1000 else (255, 255, 255) for i in labels.ravel().tolist()]
    assert painted.reshape(-1, 3).tolist() == [list(color) for color in expected]
    codes = to_codes(labels[None], num_classes=1000, ignore_index=65534)[0]
    assert paint_codes(codes, spec)[0].tolist() == [list(c) for c in expected[:3]]
    entries = find_entries([codes], spec, ignore_index=65534)
    assert [e.code for e in entries] == [0, 7, 256, 300, 999, VOID]
    # a map of few low classes, too
    assert colorize(np.zeros((1, 1), int), spec).tolist() == [[[0, 0, 90]]]


@given(
    shapes=st.lists(st.tuples(st.integers(1, 90), st.integers(1, 90)), min_size=1, max_size=7),
    size=st.sampled_from([16, 60, 512]),
    columns=st.one_of(st.none(), st.integers(1, 9)),
    classes=st.integers(1, 40),
)
@settings(max_examples=40, deadline=None)
def test_panels_keep_clear_of_each_other(shapes, size, columns, classes) -> None:
    spec = many_classes(classes)
    cells = [cell(*shape, code=i % classes) for i, shape in enumerate(shapes)]
    maps = [c.panels[1].pixels for c in cells]
    entries = find_entries(maps, spec, ignore_index=255)
    sheet = draw_sheet(cells, spec=spec, entries=entries, size=size, columns=columns, title="title")
    taken = np.zeros((sheet.picture.height, sheet.picture.width), int)
    for (height, width), boxes in zip(shapes, sheet.boxes, strict=True):
        for left, top, right, bottom in boxes:
            assert 1 <= left < right < sheet.picture.width
            assert 1 <= top < bottom < sheet.picture.height
            assert max(right - left, bottom - top) <= size
            longest = max(height, width)
            factor = size / longest if longest > size else (right - left) // width
            assert factor <= 1 or longest * factor < 160 + longest
            # a side is never less than a pixel
            for side, original in ((right - left, width), (bottom - top, height)):
                assert abs(side - max(1, original * factor)) <= 0.5
            taken[top - 1 : bottom + 1, left - 1 : right + 1] += 1
    assert taken.max() == 1


def test_downscaled_label_mixes_no_classes() -> None:
    codes = np.random.default_rng(0).integers(0, 3, (300, 500)).astype(np.int32)
    cells = [Cell(panels=(Panel(pixels=codes),))]
    sheet = draw_sheet(cells, spec=SPEC, entries=(), size=70)
    shown = np.asarray(sheet.picture.crop(sheet.boxes[0][0]))
    assert shown.shape == (42, 70, 3)
    rows = ((np.arange(42) + 0.5) * 300 / 42).astype(int)
    columns = ((np.arange(70) + 0.5) * 500 / 70).astype(int)
    expected = np.array(SPEC.colors)[codes[rows[:, None], columns]]
    np.testing.assert_array_equal(shown, expected)


def test_legend_of_150_classes_has_columns() -> None:
    spec = many_classes(150)
    codes = np.arange(150, dtype=np.int32).reshape(10, 15).repeat(20, 0).repeat(20, 1)
    cells = [Cell(name="all", panels=(Panel(pixels=codes), Panel(pixels=codes)))] * 4
    entries = find_entries([codes], spec, ignore_index=255)
    sheet = draw_sheet(cells, spec=spec, entries=entries)
    bottom = max(box[3] for boxes in sheet.boxes for box in boxes)
    legend = sheet.picture.crop((0, bottom + 5, *sheet.picture.size))
    colors = {color for _, color in legend.getcolors(1 << 20)}
    assert {entry.color for entry in entries} <= colors
    assert legend.height < 150 * 22 / 2.5
    # nothing of it is cut off: there is a margin all around
    pixels = np.asarray(legend)
    assert (pixels[-15:] == 255).all()
    assert (pixels[:, -15:] == 255).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Straße_übergang_Ω_Я", "Straße_übergang_Ω_Я"),
        ("写真_01", "\\u5199\\u771f_01"),  # the font has no such letters
        ("a\nb\tc\u202e", "a\\nb\\tc\\u202e"),
        ("caf\udce9", "caf\\xe9"),  # a file's name that is not UTF-8
        ("back\\slash", "back\\slash"),
        ("", ""),
    ],
)
def test_names_can_be_read(name: str, expected: str) -> None:
    assert legible(name) == expected


@given(text=st.text(max_size=80), width=st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_names_fit(text: str, width: int) -> None:
    face = font(13)
    fitted = fit(text, face, width)
    assert face.getlength(fitted) <= max(width, face.getlength("…"))
    if face.getlength(legible(text)) <= width:
        assert fitted == legible(text)


def test_long_name_keeps_both_ends() -> None:
    fitted = fit("frankfurt/" + "0" * 90 + "_last", font(13), 200)
    assert fitted.startswith("fran")
    assert fitted.endswith("_last")
    assert "…" in fitted


def test_text_is_drawn() -> None:
    blank, named = (
        draw_sheet([cell(200, 200, name=name)], spec=SPEC, entries=()) for name in ("", "a name")
    )
    assert named.picture.height > blank.picture.height
    ((left, top, right, _), _) = named.boxes[0]
    above = np.asarray(named.picture.crop((left, top - 20, right, top - 2)).convert("L"))
    assert above.min() < 80
    assert isinstance(named.picture, Image.Image)
