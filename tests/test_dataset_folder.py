"""`folder`: pairs by patterns, labels of every encoding."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from whole_labels import by_value, load_labels, pairs_of, paths_of, write_image, write_label

from dali_voc import load_config, parse_config
from dali_voc.datasets import DatasetOptions, PairIndex, PathList
from dali_voc.datasets._class_file import read_classes
from dali_voc.datasets._find import subject_of
from dali_voc.datasets._own_classes import own_classes
from dali_voc.datasets._pattern import Pattern
from dali_voc.errors import DatasetError
from dali_voc.labels import voc_colormap

IMAGES, MASKS = "{split}/**/*.jpg", "{split}_labels/**/*_L.png"
CLASSES = ("soil", "crop", "weed")
VALUES = np.array([[0, 1, 2, 255, 1], [2, 2, 1, 0, 255]])
COLORS = {0: (10, 20, 30), 1: (200, 100, 0), 2: (7, 7, 7), 255: (255, 255, 255)}
PATTERNS = {"images": IMAGES, "masks": MASKS, "classes": CLASSES}


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def write_pair(root: Path, values: np.ndarray, **keys: Any) -> None:
    write_image(root / "train/a/x.jpg", values.shape[:2])
    write_label(root / "train_labels/a/x_L.png", values, **keys)


def load(root: Path, **keys: Any) -> np.ndarray:
    (label,) = load_labels("folder", root, "train", **{**PATTERNS, **keys})
    return label


def painted(values: np.ndarray) -> np.ndarray:
    return np.array([[COLORS[int(value)] for value in row] for row in values])


@pytest.mark.parametrize("palette", [None, voc_colormap(256)])
@pytest.mark.parametrize("reading", ["color", "index"])
def test_gray_and_palette(tmp_path: Path, palette: Any, reading: str) -> None:
    write_pair(tmp_path, VALUES, palette=palette)
    assert np.array_equal(load(tmp_path, reading={"palette": reading}), VALUES)


def test_palettes_by_number_where_the_map_knows_no_colours(tmp_path: Path) -> None:
    stored = np.array([[0, 7, 9, 255], [9, 9, 7, 0]])
    write_pair(tmp_path, stored, palette=[(k, k, 200) for k in range(256)])
    values = {0: "weed", 7: "soil", 9: None}
    assert np.array_equal(load(tmp_path, map=values), by_value(stored, {0: 2, 7: 0}))
    # with a colour palettes are read by it
    with pytest.raises(Exception, match=r"x_L\.png: colour \(9, 9, 200\), palette index 9, is not"):
        load(tmp_path, map={**values, "9, 9, 9": "crop"})
    write_pair(tmp_path, painted(VALUES))
    with pytest.raises(
        Exception, match=r"x_L\.png: colour .* is not .*; expected no colour at all"
    ):
        load(tmp_path, map=values)


@pytest.mark.parametrize("palette", [None, [(k, 0, 99) for k in range(256)]])
def test_zero_is_void(tmp_path: Path, palette: Any) -> None:
    stored = np.array([[0, 1, 3, 255], [2, 3, 1, 0]])
    write_pair(tmp_path, stored, palette=palette)
    found = load(tmp_path, labels="reduce_zero_label")
    assert np.array_equal(found, by_value(stored, {1: 0, 2: 1, 3: 2}))
    write_pair(tmp_path, stored + 1)
    with pytest.raises(Exception, match=r"x_L\.png: value 4 is not .* expected 0-3, 255"):
        load(tmp_path, labels="reduce_zero_label")
    with pytest.raises(DatasetError, match=r"dataset\.map: found one beside labels: reduce_zero"):
        load(tmp_path, labels="reduce_zero_label", map={1: "crop"})
    with pytest.raises(DatasetError, match=r"dataset\.labels: found 'reduce', expected one of"):
        load(tmp_path, labels="reduce")


def test_zero_is_void_beside_255_classes(tmp_path: Path) -> None:
    """The last class is 255 then."""
    stored = np.arange(256).reshape(16, 16)
    write_pair(tmp_path, stored)
    names = [f"c{k}" for k in range(255)]
    found = load(
        tmp_path,
        labels="reduce_zero_label",
        classes=names,
        reading={"ignore_index": 1000, "dtype": "int64"},
    )
    assert np.array_equal(found, np.where(stored == 0, 1000, stored - 1))


def test_zero_is_void_and_files_have_the_colours_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "classes.json"
    colors = [COLORS[i] for i in range(3)]
    path.write_text(json.dumps({"classes": CLASSES, "colors": colors, "void_colors": [[255] * 3]}))
    write_pair(tmp_path, painted(VALUES))
    assert np.array_equal(load(tmp_path, classes=str(path), labels="reduce_zero_label"), VALUES)


def test_gray_of_16_bits(tmp_path: Path) -> None:
    write_pair(tmp_path, VALUES)
    wide = np.array([[0, 700, 65535], [40000, 256, 255]], np.uint16)
    Image.fromarray(wide).save(tmp_path / "train_labels/a/x_L.png")
    write_image(tmp_path / "train/a/x.jpg", wide.shape)
    found = load(tmp_path, map={0: "weed", 700: "crop", 40000: "soil", 256: "soil", 65535: None})
    assert np.array_equal(found, by_value(wide, {0: 2, 700: 1, 40000: 0, 256: 0}))


def test_colors_by_map(tmp_path: Path) -> None:
    write_pair(tmp_path, painted(VALUES))
    colors = {"10, 20, 30": "weed", "#c86400": "weed", "7,7,7": "soil", "#ffffff": None}
    assert np.array_equal(load(tmp_path, map=colors), by_value(VALUES, {0: 2, 1: 2, 2: 0}))


@pytest.mark.parametrize("name", ["class_dict.csv", "classes.json"])
def test_colors_by_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".csv":
        rows = [f"{c}, {', '.join(map(str, COLORS[i]))}" for i, c in enumerate(CLASSES)]
        path.write_text("\n".join(["\ufeffname,r,g,b", *rows, "Void,255,255,255", ""]))
    else:
        colors = [COLORS[i] for i in range(3)]
        void = [COLORS[255]]
        path.write_text(json.dumps({"classes": CLASSES, "colors": colors, "void_colors": void}))
    write_pair(tmp_path, painted(VALUES))
    assert np.array_equal(load(tmp_path, classes=str(path)), VALUES)
    # and back: the classes' colours paint the file
    spec = read_classes(path)
    palette = np.array([*spec.colors, *spec.void_colors])
    found = load(tmp_path, classes=str(path))
    assert np.array_equal(palette[np.where(found == 255, 3, found)], painted(VALUES))


def test_rows_of_void_count_as_values(tmp_path: Path) -> None:
    path = tmp_path / "class_dict.csv"
    path.write_text("name,r,g,b\na,1,1,1\nUnlabelled,0,0,0\nb,2,2,2\n")
    assert read_classes(path).classes == ("a", "b")
    path.write_text("name,r,g,b\na,1,1,1\nunlabeled,0,0,0\nb,2,2,2\n")
    assert read_classes(path).classes == ("a", "b")
    values = np.array([[0, 1, 2, 255]])
    write_pair(tmp_path, values)
    assert np.array_equal(load(tmp_path, classes=str(path)), [[0, 255, 1, 255]])


def test_256_rows(tmp_path: Path) -> None:
    """Value 255 is a row's number then, and is not void."""
    path = tmp_path / "class_dict.csv"
    path.write_text("\n".join(["name,r,g,b", "Void,0,0,0", *(f"c{i},1,0,{i}" for i in range(255))]))
    values = np.arange(256).reshape(2, 128)
    write_pair(tmp_path, values)
    found = load(tmp_path, classes=str(path), reading={"ignore_index": 1000})
    assert np.array_equal(found, np.where(values == 0, 1000, values - 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "found the header '', expected name,r,g,b"),
        ("a,1,2,3\n", "found the header 'a,1,2,3'"),
        ("name,r,g,b\n", "found no classes"),
        ("name,r,g,b\nvoid,0,0,0\n", "found no classes"),
        ("name,r,g,b\na,1,2\n", "found the row 'a,1,2', expected a name and three values"),
        ("name,r,g,b\na,1,2,256\n", "found the row 'a,1,2,256'"),
        (f"name,r,g,b\na,1,2,{'9' * 5000}\n", "found the row 'a,1,2,999"),
        ("name,r,g,b\n,1,2,3\n", "found the row ',1,2,3', expected a name"),
        (f"name,r,g,b\n{'a' * 200_000},1,2,3\n", r"found no table \(field larger than"),
        ("name,r,g,b\na,1,2,3\na,1,2,4\n", "found 'a' more than once"),
        ("name,r,g,b\na,1,2,3\nb,1,2,3\n", r"the colour \(1, 2, 3\) more than once"),
    ],
)
def test_bad_class_files(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "c.csv").write_text(text)
    with pytest.raises(DatasetError, match=reason):
        read_classes(tmp_path / "c.csv")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([{"name": "a"}], r'expected \{"classes": \["road", ...\], "colors"'),
        ({"classes": ["a", "a"], "colors": [[0, 0, 0]] * 2}, "classes: 'a' is there twice"),
        ({"classes": [], "colors": []}, "classes: found none"),
        (
            {"classes": ["a"], "colors": [[1, 2, 3]], "void_value": [0]},
            "unknown key 'void_value'; did you mean 'void_values'",
        ),
        (
            {"classes": ["a"], "colors": [[1, 2, 3]], "void_values": [0]},
            "value 0 is there twice; see void_values",
        ),
    ],
)
def test_bad_class_files_of_json(tmp_path: Path, values: Any, reason: str) -> None:
    (tmp_path / "c.json").write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=rf"c\.json: not a class list.*{reason}"):
        read_classes(tmp_path / "c.json")


def test_class_files_may_say_more(tmp_path: Path) -> None:
    values = {"classes": ["a"], "colors": [[1, 2, 3]], "description": "ours", "year": 2026}
    (tmp_path / "c.json").write_text(json.dumps(values))
    assert read_classes(tmp_path / "c.json").classes == ("a",)


def test_many_classes_of_json(tmp_path: Path) -> None:
    colors = [[i // 256, i % 256, 7] for i in range(300)]
    values = {"classes": [f"c{i}" for i in range(300)], "colors": colors}
    (tmp_path / "c.json").write_text(json.dumps(values))
    (labels,) = read_classes(tmp_path / "c.json").label_maps()
    assert dict(labels.values) == {**{i: i for i in range(300)}, 65535: None}


@pytest.mark.parametrize("name", ["a b", "a\u2028b", "a\x85b", "a\x0cb", "a\u00a0", "\ufeffa"])
def test_lists_have_lines_as_editors_count_them(tmp_path: Path, name: str) -> None:
    touch(tmp_path, f"i/{name}.jpg", f"m/{name}.png", "i/b.jpg", "m/b.png")
    (tmp_path / "train.txt").write_bytes(f"\ufeffb\t\r\n {name}\r\n\r\n \n".encode())
    keys: dict[str, Any] = {"images": "i/*.jpg", "masks": "m/*.png", "classes": ("a",)}
    index = pairs_of("folder", tmp_path, "train", **keys)
    assert [index.name(i) for i in range(len(index))] == ["b", name]


def test_paths_in_order(tmp_path: Path) -> None:
    names = ["a/b/1", "a/2", "3", "a.c/1"]
    touch(tmp_path, *(f"train/{n}.jpg" for n in names), "train/.hidden.jpg", "train/.h/x.jpg")
    touch(tmp_path, *(f"train_labels/{n}_L.png" for n in names), "train/readme.md")
    index = pairs_of("folder", tmp_path, "train", **PATTERNS)
    assert paths_of(index) == [
        (f"{tmp_path}/train/{n}.jpg", f"{tmp_path}/train_labels/{n}_L.png") for n in sorted(names)
    ]
    assert [index.name(i) for i in range(4)] == sorted(names)


def test_wildcards_that_are_not_together(tmp_path: Path) -> None:
    touch(tmp_path, "cam0/img/7.png", "cam1/img/7.png", "cam0/seg/m_7.png", "cam1/seg/m_7.png")
    index = pairs_of(
        "folder", tmp_path, "any", images="cam*/img/*.png", masks="cam*/seg/m_*.png", classes=("a",)
    )
    assert paths_of(index) == [
        (f"{tmp_path}/cam{k}/img/7.png", f"{tmp_path}/cam{k}/seg/m_7.png") for k in range(2)
    ]


@pytest.mark.parametrize(
    ("images", "masks"), [("*.png", "*_L.png"), ("**/*.png", "**/*_L.png"), ("*_im.png", "*.png")]
)
def test_one_folder(tmp_path: Path, images: str, masks: str) -> None:
    ends = [pattern.rpartition("*")[2] for pattern in (images, masks)]
    touch(tmp_path, *(f"{stem}{end}" for stem in "xy" for end in ends))
    index = pairs_of("folder", tmp_path, "train", images=images, masks=masks, classes=("a",))
    expected = [tuple(f"{tmp_path}/{stem}{end}" for end in ends) for stem in "xy"]
    assert paths_of(index) == expected


def test_lists(tmp_path: Path) -> None:
    keys = {"images": "im/**/*.jpg", "masks": "lb/**/*.png", "classes": ("a",)}
    touch(tmp_path, *(f"im/{n}.jpg" for n in "xyz"), *(f"lb/{n}.png" for n in "xyw"))
    (tmp_path / "train.txt").write_text("y\nx\n")
    names = [pair[0][-5:] for pair in paths_of(pairs_of("folder", tmp_path, "train", **keys))]
    assert names == ["y.jpg", "x.jpg"]
    for text, reason in (
        ("y\ny\n", r"the split's list has lines more than once \(y\)"),
        (
            "q\nx\nr\n",
            r"val\.txt: found no image im/.*\.jpg for .* list: q, r; expected lines such as 'x'$",
        ),
        ("x.jpg\ny.jpg\n", r"list: x\.jpg, y\.jpg; expected lines without '\.jpg', such as 'x'$"),
        ("z\n", r"found no lb/\*\*/\*\.png for 1 image \(z\)"),
        ("\n", "the list of split 'val' is empty"),
    ):
        (tmp_path / "val.txt").write_text(text)
        with pytest.raises(DatasetError, match=reason):
            pairs_of("folder", tmp_path, "val", **keys)
    with pytest.raises(DatasetError, match=r"test\.txt: no such file, .*; there are: train, val"):
        pairs_of("folder", tmp_path, "test", **keys)
    odd = os.fsdecode(b"\xff\xe9")
    touch(tmp_path, f"im/{odd}.jpg", f"lb/{odd}.png")
    (tmp_path / "odd.txt").write_bytes(b"\xef\xbb\xbfx\r\n\xff\xe9\r\n")
    index = pairs_of("folder", tmp_path, "odd", **keys)
    assert [index.name(i) for i in range(2)] == ["x", odd]
    (tmp_path / "odd.txt").unlink()
    (tmp_path / "val.txt").write_text("q\n")
    assert len(pairs_of("folder", tmp_path, "val", must_exist=False, **keys)) == 1


def test_texts_that_are_no_lists(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys = {"images": "im/*.jpg", "masks": "lb/*.png", "classes": ("a",)}
    touch(tmp_path, "im/x.jpg", "lb/x.png", "README.txt", "license-2.txt")
    assert len(pairs_of("folder", tmp_path, "train", **keys)) == 1
    assert not caplog.records
    assert len(pairs_of("folder", tmp_path, "val", **keys)) == 1
    assert caplog.messages == [
        f"{tmp_path}: split 'val' is all pairs, as is any other: there is no list val.txt, and no "
        "{split} in dataset.images and dataset.masks"
    ]
    touch(tmp_path, "notes.txt")
    with pytest.raises(DatasetError, match=r"train\.txt: no such file, .*there are: notes$"):
        pairs_of("folder", tmp_path, "train", **keys)


@pytest.mark.parametrize("beside", [True, False])
def test_a_class_file_beside_the_data(
    tmp_path: Path, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    root = tmp_path / "data"
    write_pair(root, painted(VALUES))
    with pytest.raises(
        DatasetError, match=rf"k\.csv: no such file, neither in .*/here nor in {root}"
    ):
        load(root, classes="k.csv")
    rows = [f"{name},{','.join(map(str, COLORS[i]))}" for i, name in enumerate(CLASSES)]
    text = "\n".join(["name,r,g,b", *rows, "void,255,255,255"])
    ((root if beside else tmp_path / "here") / "k.csv").write_text(text)
    assert np.array_equal(load(root, classes="k.csv"), VALUES)


def test_colors_for_display() -> None:
    """Those of the map; classes without one have colours apart from these."""
    options = DatasetOptions(
        classes=("soil", "crop", "weed", "sky"),
        map={(0, 0, 0): "weed", (9, 8, 7): "weed", (1, 2, 3): "soil", (5, 5, 5): None},
    )
    spec = own_classes("folder", options)
    assert (spec.display_colors[0], spec.display_colors[2]) == ((1, 2, 3), (0, 0, 0))
    assert len(set(spec.display_colors)) == 4
    # they change neither what labels mean nor, therefore, whose states and packs these are
    assert spec.colors == voc_colormap(4)
    paths = PathList(["a"])
    index = PairIndex(images=paths, labels=paths, spec=spec)
    plain = dataclasses.replace(index, spec=dataclasses.replace(spec, shown=()))
    assert index.meaning() == plain.meaning()
    assert dict(spec.label_maps()[0].colors) == {
        **{(0, 0, 0): 2, (9, 8, 7): 2, (1, 2, 3): 0, (5, 5, 5): None},
        voc_colormap(256)[255]: None,
    }
    by_value = own_classes("folder", DatasetOptions(classes=("a", "b"), map={0: "b", 7: "a"}))
    assert by_value.display_colors == voc_colormap(2)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"images": None}, r"dataset\.images: found null, expected a pattern"),
        ({"masks": None}, r"dataset\.masks: found null"),
        ({"classes": None}, r"dataset\.classes: found null"),
        ({"images": "{splits}/*.jpg"}, r"\{splits\} is not known"),
        ({"images": "/a/*.jpg"}, "begins with a slash"),
        ({"images": "a/b.jpg"}, r"has no \* in it"),
        ({"images": "a/**/b/**/*.jpg"}, r"more than one \*\*"),
        ({"images": "a**/*.jpg"}, r"its \*\* is not a whole name"),
        ({"images": "a/**"}, "does not end in a file's name"),
        ({"images": "a/*.jpg"}, r"dataset\.masks: .* expected as many wildcards"),
        ({"masks": "train/**/*.jpg"}, r"dataset\.masks: found .*, expected another pattern than"),
        ({"labels": "x"}, r"dataset\.labels: found .x., expected one of: keep_zero"),
        (
            {"images": "{split}/**/*.tif"},
            r"found no images, expected .*\.tif; of other endings there are train/a\.jpg$",
        ),
    ],
)
def test_what_does_not_fit(tmp_path: Path, keys: dict[str, Any], reason: str) -> None:
    touch(tmp_path, "train/a.jpg", "train_labels/a_L.png", "val/b.jpg")
    with pytest.raises(DatasetError, match=reason):
        pairs_of("folder", tmp_path, "train", **{**PATTERNS, **keys})


def test_files_without_a_partner(tmp_path: Path) -> None:
    touch(tmp_path, *(f"train/{n}.jpg" for n in "abcde"), "train_labels/s/q_L.png")
    touch(tmp_path, "train_labels/a_L.png")
    with pytest.raises(DatasetError) as error:
        pairs_of("folder", tmp_path, "train", **PATTERNS)
    assert str(error.value) == (
        f"{tmp_path}: expected a label train_labels/**/*_L.png for each image train/**/*.jpg, "
        "found no train_labels/**/*_L.png for 4 images (b, c, d and 1 more), and no "
        "train/**/*.jpg for 1 label (s/q)"
    )
    assert len(pairs_of("folder", tmp_path, "train", must_exist=False, **PATTERNS)) == 5
    with pytest.raises(DatasetError, match="no such folder, expected one with"):
        pairs_of("folder", tmp_path / "none", "train", **PATTERNS)


def test_a_label_of_two_images(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/b_c.jpg", "train/a_b/c.jpg", "train/a/d.jpg")
    touch(tmp_path, "labels/a_b_c.png", "labels/a_d.png")
    keys = {**PATTERNS, "masks": "labels/*_*.png"}
    with pytest.raises(DatasetError, match=r"several images for 1 labels \(labels/a_b_c\.png\)"):
        pairs_of("folder", tmp_path, "train", **keys)
    (tmp_path / "train/a_b/c.jpg").unlink()
    assert len(pairs_of("folder", tmp_path, "train", **keys)) == 2


def test_splits_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^split: found 't\*', expected a name without \*,"):
        pairs_of("folder", tmp_path, "t*", **PATTERNS)
    for split in ("", "../train", "a//b"):
        with pytest.raises(DatasetError, match=f"^split: found '{re.escape(split)}', expected"):
            pairs_of("folder", tmp_path, split, **PATTERNS)
    with pytest.raises(DatasetError, match=r"below the root .* leads out of the root"):
        pairs_of("folder", tmp_path, "train", **{**PATTERNS, "images": "../{split}/*.jpg"})
    touch(tmp_path, "train/a.jpg", "train_labels/a_L.png", "other/a.jpg")
    other = "; of other endings there are train/a.jpg"
    for start, hint in ("", other), ("?", "; only * and ** are wildcards"):
        keys = {**PATTERNS, "images": f"{{split}}/**/{start}*.JPG"}
        with pytest.raises(DatasetError, match=re.escape(f".JPG{hint}") + "$"):
            pairs_of("folder", tmp_path, "train", **keys)
    with pytest.raises(
        DatasetError, match=r"expected trian/\*\*/\*\.jpg; splits there are: train$"
    ):
        pairs_of("folder", tmp_path, "trian", **PATTERNS)


def test_links_in_a_circle(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/x.jpg", "train_labels/a/x_L.png")
    (tmp_path / "train/a/up").symlink_to(tmp_path / "train/a")
    stems = sorted(Pattern.parse(IMAGES, "train", key="images").stems(tmp_path))
    assert stems == ["a/up/x", "a/x"]


@settings(max_examples=60, deadline=None)
@given(
    tree=st.sets(
        st.lists(st.sampled_from(["a", "b_c", "_", "x.y"]), min_size=1, max_size=4).map("/".join),
        max_size=8,
    ),
    pattern=st.sampled_from(["**/*.p", "*/*.p", "**/a/*.p", "a/**/*_*.p", "*_*/**/*.p", "a/*.p"]),
)
def test_patterns_find_what_pathlib_finds(
    tmp_path_factory: pytest.TempPathFactory, tree: set[str], pattern: str
) -> None:
    root = touch(tmp_path_factory.mktemp("tree"), *(f"{name}.p" for name in tree))
    parsed = Pattern.parse(pattern, "", key="images")
    stems = list(parsed.stems(root))
    found = [f"{parsed.prefix}{stem}{parsed.suffix}" for stem in stems]
    assert sorted(found) == sorted(os.fspath(p.relative_to(root)) for p in root.glob(pattern))
    for stem in stems:
        groups = parsed.groups(stem)
        assert groups is not None
        assert parsed.fill(groups) == stem
        assert parsed.matches(f"{parsed.prefix}{stem}{parsed.suffix}")


def test_configuration(tmp_path: Path) -> None:
    touch(tmp_path, "train/f/x.jpg", "train_labels/f/x_L.png")
    path = Path(__file__).parents[1] / "configs/folder.yaml"
    dataset = load_config(path, overrides=[f"dataset.root={tmp_path}"]).dataset
    options = dataset.options
    keys = {"images": options.images, "masks": options.masks, "classes": options.classes}
    assert len(pairs_of("folder", dataset.path, "train", **keys)) == 1


def test_an_index_knows_the_class_file_beside_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From whatever folder it is made and read."""
    root = tmp_path / "data"
    write_pair(root, painted(VALUES))
    (root / "k.csv").write_text("name,r,g,b\nsoil,10,20,30\nvoid,1,1,1")
    subjects = []
    for name in "one", "two":
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        dataset = {"name": "folder", "root": str(root), "images": IMAGES, "masks": MASKS}
        config = parse_config({"dataset": {**dataset, "classes": "k.csv"}})
        subjects.append(subject_of(config.dataset, "train"))
    assert subjects[0] == subjects[1]
    assert subjects[0].options["classes"] == str(root / "k.csv")
    # Python 3.14 takes such a name for that of no file
    reason = (
        "no such file" if sys.version_info >= (3, 14) else r"cannot be read \(File name too long"
    )
    with pytest.raises(DatasetError, match=reason):
        load(root, classes="k" * 300)
