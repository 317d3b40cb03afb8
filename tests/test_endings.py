"""`folder` with files of several endings: `{split}/**/*.{jpg,png}`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from whole_labels import pairs_of, paths_of, write_label

from dali_voc import build_loader, parse_config
from dali_voc.errors import DatasetError

ENDS = ("jpg", "JPG", "jpeg", "png")
KEYS: dict[str, Any] = {
    "images": "im/**/*.{jpg, JPG,jpeg,png}",
    "masks": "lb/**/*.{png,tif}",
    "classes": ("a",),
}


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


stems = st.dictionaries(
    st.text("ab/.", min_size=1, max_size=4).filter(
        lambda text: not set(text.split("/")) & {"", ".", ".."} and "/." not in f"/{text}"
    ),
    st.tuples(st.sampled_from(ENDS), st.sampled_from(["png", "tif"])),
    min_size=1,
    max_size=6,
)


@given(files=stems)
@settings(max_examples=60, deadline=None)
def test_files_that_differ_in_their_endings(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, tuple[str, str]]
) -> None:
    root = tmp_path_factory.mktemp("endings")
    touch(root, *(f"im/{stem}.{ends[0]}" for stem, ends in files.items()))
    touch(root, *(f"lb/{stem}.{ends[1]}" for stem, ends in files.items()))
    touch(root, "im/notes.txt", "lb/b/notes.md")
    for must_exist in True, False:
        index = pairs_of("folder", root, "train", must_exist=must_exist, **KEYS)
        assert paths_of(index) == [
            (f"{root}/im/{stem}.{files[stem][0]}", f"{root}/lb/{stem}.{files[stem][1]}")
            for stem in sorted(files)
        ]
        names = [index.name(i) for i in range(len(index))]
        assert names == [f"{stem}.{files[stem][0]}" for stem in sorted(files)]
    unlabeled = pairs_of("folder", root, "train", unlabeled=True, **KEYS)
    assert [image for image, _ in paths_of(unlabeled)] == [image for image, _ in paths_of(index)]


def test_one_folder_and_lists(tmp_path: Path) -> None:
    keys = {"images": "*.{jpg,png}", "masks": "*_m.png", "classes": ("a",)}
    touch(tmp_path, "x.jpg", "x_m.png", "y.png", "y_m.png", "z.png", "z_m.png")
    every = [(f"{tmp_path}/{n}", f"{tmp_path}/{n[0]}_m.png") for n in ("x.jpg", "y.png", "z.png")]
    assert paths_of(pairs_of("folder", tmp_path, "train", **keys)) == every
    (tmp_path / "train.txt").write_text("z\nx\n")
    for must_exist in True, False:
        index = pairs_of("folder", tmp_path, "train", must_exist=must_exist, **keys)
        assert paths_of(index) == [every[2], every[0]]
    (tmp_path / "train.txt").write_text("z.png\nx.jpg\n")
    with pytest.raises(
        DatasetError, match=r"z\.png, x\.jpg; expected lines without '\.png', such as 'x'$"
    ):
        pairs_of("folder", tmp_path, "train", **keys)
    (tmp_path / "train.txt").write_text("q\nx\n")
    index = pairs_of("folder", tmp_path, "train", must_exist=False, **keys)
    assert index.images[0] == f"{tmp_path}/q.jpg"  # which turns out when it is read


@pytest.mark.parametrize(
    ("files", "keys", "reason"),
    [
        (["im/a.jpg", "im/a.png"], {}, r"found im/a\.jpg and im/a\.png, expected one of im/\*\*"),
        (["lb/a.tif"], {}, r"found lb/a\.png and lb/a\.tif, expected one of lb/\*\*/\*\.\{png,tif"),
        (["im/b.png"], {}, r"expected a label lb/.*\.\{png,tif\} for .*, found no lb/.*\(b\)"),
        ([], {"images": "{im,in}/**/*.jpg"}, r"expected \{im,in\} once and behind the last wild"),
        ([], {"images": "im/**/*{a,b}.{jpg,png}"}, r"expected \{a,b\} once and behind the last"),
        ([], {"masks": "im/**/*.{gif,JPG}"}, r"dataset\.masks: .* expected another pattern than"),
        (
            [],
            {"images": "im/**/*.{jpg,b.jpg}"},
            r"endings of which none ends as another, found '\.b",
        ),
        ([], {"images": "im/**/*.{jpg}"}, r"\{jpg\} is not known"),
        (
            [],
            {"images": "im/**/*.{tif,gif}"},
            r"expected .*\.\{tif,gif\}; of other endings there are im/a\.jpg$",
        ),
        ([], {"images": "im/**/*.jpg", "masks": "lb/*.{png,tif}"}, "as many wildcards"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, files: list[str], keys: dict[str, Any], reason: str
) -> None:
    touch(tmp_path, "lb/a.png", *(files or ["im/a.jpg"]))
    if not any(name.startswith("im/a.") for name in files):
        touch(tmp_path, "im/a.jpg")
    with pytest.raises(DatasetError, match=reason):
        pairs_of("folder", tmp_path, "train", **{**KEYS, **keys})


def test_a_label_of_two_images(tmp_path: Path) -> None:
    touch(tmp_path, "im/a/b_c.jpg", "im/a_b/c.png", "lb/a_b_c.png")
    keys = {**KEYS, "masks": "lb/*_*.{png,tif}"}
    with pytest.raises(DatasetError, match=r"several images for 1 labels \(lb/a_b_c\.\{png,tif\}"):
        pairs_of("folder", tmp_path, "train", **keys)


def test_batches(tmp_path: Path) -> None:
    """Of pictures in four formats, each of one colour, with a label of that number."""
    for k, end in enumerate(("jpg", "png", "webp", "tif")):
        for folder in "im", "lb":
            (tmp_path / folder).mkdir(exist_ok=True)
        picture = np.full((40, 50, 3), 40 * k, np.uint8)
        Image.fromarray(picture).save(tmp_path / f"im/{k}.{end}")
        write_label(tmp_path / f"lb/{k}.png", np.full((40, 50), k))
    tree: dict[str, Any] = {
        "dataset": {
            "name": "folder",
            "root": str(tmp_path),
            "images": "im/*.{jpg,png,webp,tif}",
            "masks": "lb/*.png",
            "classes": list("abcd"),
        },
        "augment": {"crop_size": [32, 32]},
        "normalize": {"dtype": "uint8"},
        "loader": {"device": "cpu", "batch_size": 4},
    }
    with build_loader(parse_config(tree)) as loader:
        ((images, labels),) = loader
    assert sorted(labels[:, 0, 0].tolist()) == [0, 1, 2, 3]
    for image, label in zip(images, labels, strict=True):
        assert (label == label[0, 0]).all()
        assert (image.int() - 40 * int(label[0, 0])).abs().max() <= 2
