"""`dali-voc preview`: what it shows is what the loader gives, and what is stored."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, DatasetError, build_loader
from dali_voc.commands import main
from dali_voc.datasets import find_index
from dali_voc.labels import voc_colormap
from dali_voc.previewing import REST, VOID, Sheet, Shown, _sheet, sheet_of, take_first, take_named
from dali_voc.previewing._find_samples import find_samples

CONFIG = Path(__file__).parents[1] / "configs/voc2012.yaml"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROP = {"crop_size": [96, 128]}
EVERYTHING = {
    **CROP,
    "scale": [0.5, 2.0],
    "rotate": 20.0,
    "brightness": 32.0,
    "erase": 0.5,
    "cutmix": 0.4,
    "classmix": 0.3,
    "copy_paste": 0.3,
}


def check_image(picture: np.ndarray, image: torch.Tensor) -> None:
    """Compare bytes [height, width, 3] with a normalised image, channel by channel."""
    assert picture.dtype == np.uint8
    for c, channel in enumerate(image.double().numpy()):
        values = channel if image.dtype == torch.uint8 else (channel * STD[c] + MEAN[c]) * 255
        # rounded, but a value that lies in the middle may go either way
        assert np.abs(picture[..., c] - np.clip(values, 0, 255)).max() <= 0.5 + 1e-3


def check_label(picture: np.ndarray, label: np.ndarray) -> None:
    """Compare a painted label with class indices, 255 being void."""
    palette = voc_colormap()
    for index in np.unique(label):
        here = picture[label == index]
        if index == 255:  # stripes of gray
            assert set(map(tuple, here.tolist())) <= {(198,) * 3, (238,) * 3}
        else:
            assert (here == palette[index]).all()


def draw(shown: list[Shown], loader: Any, config: Config, **options: Any) -> Sheet:
    return sheet_of(
        shown, spec=loader.spec, ignore_index=config.labels.ignore_index, title="t", **options
    )


@pytest.mark.parametrize(
    ("augment", "normalize", "split"),
    [
        (CROP, {}, "train"),
        (EVERYTHING, {}, "train"),
        (EVERYTHING, {"dtype": "uint8", "channels_last": True}, "train"),
        (CROP, {"dtype": "float16"}, "val"),
    ],
)
def test_sheet_shows_the_batch(make_config, augment, normalize, split) -> None:
    config = make_config(augment=augment, normalize=normalize)
    with build_loader(config, split=split) as loader:
        images, labels = next(iter(loader))
    with build_loader(config, split=split) as loader:
        shown = take_first(loader, config, count=4)
        sheet = draw(shown, loader, config)
    assert len(sheet.boxes) == len(images) == 4
    for i, boxes in enumerate(sheet.boxes):
        image, label = (np.asarray(sheet.picture.crop(box)) for box in boxes)
        # crops of 128 pixels are shown with pixels of 2 x 2
        check_image(image[::2, ::2], images[i])
        np.testing.assert_array_equal(image[::2, ::2], image[1::2, 1::2])
        check_label(label[::2, ::2], labels[i].numpy())


def test_command_draws_the_same(voc, make_config, tmp_path, run) -> None:
    run(
        *("preview", CONFIG, "-o", tmp_path / "s.png", "--count", 3, "--epoch", 2, "--first", 5),
        *("--set", f"dataset.root={voc}", "--set", "loader.batch_size=4"),
        *("--set", "loader.device=cpu"),
    )
    config = make_config()
    with build_loader(config) as loader:
        for _ in range(3):
            epoch = list(loader)
        images = torch.cat([images for images, _ in epoch])[5:8]
        labels = torch.cat([labels for _, labels in epoch])[5:8]
        order = np.concatenate([batch.samples for batch in planned(loader, epoch=2)])
    with build_loader(config) as loader:
        shown = take_first(loader, config, epoch=2, first=5, count=3)
        boxes = draw(shown, loader, config).boxes
        names = [loader.index.name(int(i)) for i in order[5:8]]
    picture = Image.open(tmp_path / "s.png")
    assert json.loads(picture.text["Samples"]) == names == [one.name for one in shown]
    assert picture.text["Title"] == "voc2012 train, epoch 2, seed 0, 14 samples"
    for i, (of_image, of_label) in enumerate(boxes):
        check_image(np.asarray(picture.crop(of_image)), images[i])
        check_label(np.asarray(picture.crop(of_label)), labels[i].numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["s.png"]


def planned(loader: Any, *, epoch: int) -> list[Any]:
    return [loader.batch_at(epoch=epoch, step=step)[0] for step in range(len(loader))]


def test_command_is_deterministic(voc, tmp_path, run) -> None:
    made = []
    for name in "ab":
        sheet, page = tmp_path / f"{name}.png", tmp_path / f"{name}.html"
        run(
            *("preview", CONFIG, "-o", sheet, "--html", page, "--compare", "--quiet"),
            *("--set", f"dataset.root={voc}", "--set", "augment.scale=[0.5, 2.0]"),
        )
        made.append((sheet.read_bytes(), page.read_bytes()))
    assert made[0] == made[1]


def test_labels_in_planes(make_config) -> None:
    plain = make_config(augment=CROP)
    with build_loader(plain) as loader:
        labels = next(iter(loader))[1].numpy()
        names = loader.spec.classes
    for coding, expected in (
        ({"one_hot": True}, np.where(labels == 255, VOID, labels)),
        (
            {"masks": ["person", "background"]},
            np.select(
                [labels == 255, np.isin(labels, [0, names.index("person")])], [VOID, labels], REST
            ),
        ),
    ):
        config = make_config(augment=CROP, labels=coding)
        with build_loader(config) as loader:
            shown = take_first(loader, config, count=4)
        np.testing.assert_array_equal([one.codes for one in shown], expected)


@pytest.mark.parametrize("policy", ["center", "resize", "full"])
def test_validation(make_config, policy: str) -> None:
    config = make_config(augment={**CROP, "validation": policy, "shorter_side": 100})
    with build_loader(config, split="val") as loader:
        first, *rest = loader
    with build_loader(config, split="val") as loader:
        shown = take_first(loader, config, count=4)
    for i, one in enumerate(shown):
        image, label = first[0][i], first[1][i].numpy()
        if policy != "center":
            height, width = first.sizes[i].tolist()
            image, label = image[:, :height, :width], label[:height, :width]
        check_image(one.image, image)
        np.testing.assert_array_equal(one.codes, np.where(label == 255, VOID, label))
    assert len(rest) == 1


def test_validation_in_tiles(make_config) -> None:
    config = make_config(augment={"crop_size": [200, 300], "validation": "slide"})
    with build_loader(config, split="val") as loader:
        batch = next(iter(loader))
    with build_loader(config, split="val") as loader:
        shown = take_first(loader, config, count=2, compare=True)
    wanted = [t for t, (i, _, _) in enumerate(batch.tiles.tolist()) if i < 2]
    assert len(shown) == len(wanted) > 2
    for one, t in zip(shown, wanted, strict=True):
        i, y, x = batch.tiles[t].tolist()
        height, width = one.codes.shape
        check_image(one.image, batch.images[t][:, :height, :width])
        label = batch.labels[i, y : y + height, x : x + width].numpy()
        np.testing.assert_array_equal(one.codes, np.where(label == 255, VOID, label))
        assert one.raw.window == (y, x, y + height, x + width)
        assert one.note.startswith("tile ")


def test_named_samples(voc: Path, make_config) -> None:
    config = make_config(augment=EVERYTHING)
    with build_loader(config) as loader:
        members, batches = zip(
            *(loader.batch_at(epoch=1, step=step) for step in range(len(loader))), strict=True
        )
        where = {int(s): (b, i) for b, m in enumerate(members) for i, s in enumerate(m.samples)}
        shown = take_named(loader, config, [9, 2], epoch=1)
    assert [one.name for one in shown] == ["made_000009", "made_000002"]
    for sample, one in zip([9, 2], shown, strict=True):
        step, place = where[sample]
        check_image(one.image, batches[step][0][place])


def stored(voc: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    image = Image.open(voc / "JPEGImages" / f"{name}.jpg").convert("RGB")
    label = np.asarray(Image.open(voc / "SegmentationClass" / f"{name}.png"))
    return np.asarray(image), np.where(label == 255, VOID, label.astype(int))


def test_compare_shows_what_is_stored_and_its_window(voc: Path, make_config) -> None:
    config = make_config(augment={"flip": 0.0, "class_crop": 0.5})
    with build_loader(config) as loader:
        shown = take_first(loader, config, count=14, compare=True)
    windows = set()
    for one in shown:
        image, label = stored(voc, one.name)
        assert np.abs(one.raw.image.astype(int) - image).max() <= 1  # another JPEG decoder
        np.testing.assert_array_equal(one.raw.codes, label)
        y0, x0, y1, x1 = map(int, one.raw.window)
        windows.add(one.raw.window)
        # the window, and void where the picture is smaller than the crop
        assert (y1 - y0, x1 - x0) == (min(320, len(label)), min(480, label.shape[1]))
        np.testing.assert_array_equal(one.codes[: y1 - y0, : x1 - x0], label[y0:y1, x0:x1])
        difference = one.image[: y1 - y0, : x1 - x0].astype(int) - image[y0:y1, x0:x1]
        assert np.abs(difference).max() <= 1
    assert len(windows) > 5


def test_compare_with_scale(voc: Path, make_config) -> None:
    config = make_config(augment={**CROP, "flip": 0.0, "scale": [2.0, 2.0]})
    with build_loader(config) as loader:
        shown = take_first(loader, config, compare=True)
    for one in shown:
        y0, x0, y1, x1 = one.raw.window
        assert (y1 - y0, x1 - x0) == pytest.approx((48, 64), abs=0.01)
        # row i of the crop shows the row under its centre
        rows = np.floor(y0 + (np.arange(96) + 0.5) / 2).astype(int)
        columns = np.floor(x0 + (np.arange(128) + 0.5) / 2).astype(int)
        np.testing.assert_array_equal(one.codes, one.raw.codes[rows[:, None], columns])


@pytest.mark.filterwarnings("error")
def test_compare_with_every_augmentation(voc: Path, make_config) -> None:
    kinds = {"noise": 0.5, "jpeg": 0.5, "blur": 0.5, "vertical_flip": 0.5, "class_crop": 0.5}
    config = make_config(augment={**EVERYTHING, **kinds, "category_max_ratio": 0.75})
    with build_loader(config) as loader:
        shown = take_first(loader, config, count=4, compare=True)
    for one in shown:
        np.testing.assert_array_equal(one.raw.codes, stored(voc, one.name)[1])
        y0, x0, y1, x1 = one.raw.window
        assert 0 <= y0 < y1 <= one.raw.codes.shape[0]
        assert 0 <= x0 < x1 <= one.raw.codes.shape[1]


def test_sheet_frames_the_window(make_config) -> None:
    config = make_config(augment=CROP)
    with build_loader(config) as loader:
        shown = take_first(loader, config, count=2, compare=True)
        sheet = draw(shown, loader, config, compare=True, size=512)
    for one, boxes in zip(shown, sheet.boxes, strict=True):
        assert len(boxes) == 4
        picture = np.asarray(sheet.picture.crop(boxes[0]))
        assert picture.shape == one.raw.image.shape
        y0, x0, y1, x1 = map(int, one.raw.window)
        frame = np.zeros(picture.shape[:2], bool)
        frame[y0:y1, x0:x1] = True
        frame[y0 + 6 : y1 - 6, x0 + 6 : x1 - 6] = False
        changed = (picture != one.raw.image).any(2)
        assert not changed[~frame].any()
        assert changed[y0, x0:x1].any()
        assert (picture[y0 + 1 : y1 - 1, x0 + 1] == 255).all()


@pytest.mark.parametrize("on_error", ["skip", "replace"])
def test_bad_files_are_told_apart(tmp_path: Path, make_config, on_error: str) -> None:
    from dali_voc.synthetic import write_voc

    root = write_voc(tmp_path / "voc", train=4, val=1)
    (root / "JPEGImages/made_000001.jpg").write_bytes(b"\xff\xd8 not a picture")
    config = make_config(root, augment=CROP, loader={"on_error": on_error})
    with build_loader(config) as loader:
        shown = take_first(loader, config, count=4, compare=True)
    (bad,) = (one for one in shown if one.note)
    if on_error == "skip":
        assert (bad.name, bad.note) == ("made_000001", "a bad file, left blank")
        assert (bad.codes == VOID).all()
        assert bad.raw is None
    else:
        assert bad.name != "made_000001"
        assert bad.note == "instead of made_000001, a bad file"
        np.testing.assert_array_equal(bad.raw.codes, stored(root, bad.name)[1])


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """The folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(monkeypatch) -> Callable[..., None]:
    def with_arguments(*arguments: object) -> None:
        monkeypatch.setattr(sys, "argv", ["dali-voc", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        if left.value.code:
            raise SystemExit(left.value.code)

    return with_arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--split", "trian"], "expected the list of split 'trian'; there are: train, trainval"),
        (["-o", "nowhere/s.png"], "nowhere/s.png: found no folder nowhere, expected one"),
        (["-o", "."], "found a folder, expected a file's name for the sheet"),
        (["-o", "x", "--html", "x"], "x: found for both sheet and page, expected two files"),
        (["--samples", "made_00003"], "found 'made_00003', .* 13; did you mean 'made_0000"),
        (["--samples", "9" * 5000], "expected a name, or a place from 0 to 13"),
        (["--samples", "14"], "found '14', expected a name, or a place from 0 to 13"),
        (["--samples", ","], "samples: found no name, expected some of the split's"),
        (["--samples", ""], "samples: found no name, expected some of the split's"),
        (["--first", "14"], "found 14, expected at most 13: the batches of epoch 0 hold 14 samp"),
        (["--set", "loader.bach_size=2"], "did you mean 'batch_size'"),
        (["--set", "labels.masks=[]"], r"labels\.masks: found \[\], expected at least one"),
        (["--set", "dataset.root=missing"], "missing: no such folder"),
        (["--count", "4", "--size", "4096", "--set", "loader.batch_size=4"],
         "4 samples make a sheet of .* pixels, expected at most 1 million"),
    ],
)  # fmt: skip
def test_errors_are_one_sentence(  # noqa: PLR0917
    voc, empty, run, monkeypatch, arguments: list[str], message: str
) -> None:
    monkeypatch.setattr(_sheet, "_LARGEST", 1_000_000)
    with pytest.raises(SystemExit, match=message) as left:
        run("preview", CONFIG, "--set", f"dataset.root={voc}", *arguments)
    assert str(left.value).startswith("dali-voc: ")
    assert "\n" not in str(left.value)
    assert list(empty.iterdir()) == []


def test_full_disk_leaves_nothing(voc, tmp_path, monkeypatch, run) -> None:
    import os

    monkeypatch.chdir(tmp_path)
    Path("preview.png").write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "preview.png")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SystemExit, match=r"dali-voc: preview\.png: cannot be written \(No space"):
        run("preview", CONFIG, "--set", f"dataset.root={voc}", "--count", "1")
    assert Path("preview.png").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["preview.png"]


def test_quiet_and_names_on_the_command_line(voc, tmp_path, run, capsys) -> None:
    out = tmp_path / "s.png"
    some = ["preview", CONFIG, "-o", out, "--set", f"dataset.root={voc}", "--quiet"]
    run(*some, "--samples", "made_000003,0", "--samples", "made_000007")
    assert capsys.readouterr().out == ""
    with Image.open(io.BytesIO(out.read_bytes())) as picture:
        assert json.loads(picture.text["Samples"]) == ["made_000003", "made_000000", "made_000007"]


def test_a_name_that_two_sources_have(voc: Path, make_config) -> None:
    source = {"name": "voc2012", "root": str(voc)}
    config = make_config(dataset={"name": "sources", "sources": [source, source]})
    index = find_index(config.dataset, "train")
    name = index.name(2)
    message = rf"fits {name} \(sample 2\), {name} \(sample {2 + len(index) // 2}\)"
    with pytest.raises(DatasetError, match=message):
        find_samples(index, [name])
    assert find_samples(index, ["2", str(2 + len(index) // 2)]) == [2, 2 + len(index) // 2]
