"""Class statistics: counted as Pillow and NumPy count, kept in a file, turned into loss weights."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import encoded_voc
import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import (
    ClassStats,
    Config,
    DatasetError,
    LoaderError,
    SampleError,
    build_loader,
    count_classes,
    loss_weights,
)
from dali_voc.commands._class_chart import class_chart
from dali_voc.datasets import PairIndex, PathList, find_index, find_pairs
from dali_voc.datasets.voc import VOC_SPEC

MakeConfig = Callable[..., Config]


def slow_count(root: Path, split: str, *, leave_out: tuple[str, ...] = ()) -> dict[str, list]:
    """Look at one class of one label after another."""
    names = (root / f"ImageSets/Segmentation/{split}.txt").read_text().split()
    pixels, picture_pixels, pictures, void, shown = [0] * 21, [0] * 21, [0] * 21, 0, []
    for name in names:
        shown.append([])
        if name in leave_out:
            continue
        label = np.array(Image.open(root / f"SegmentationClass/{name}.png"))
        for c in range(21):
            count = int((label == c).sum())
            if count:
                pixels[c] += count
                picture_pixels[c] += int((label < 21).sum())
                pictures[c] += 1
                shown[-1].append(c)
        void += int((label >= 21).sum())
    return {
        "pixels": pixels,
        "picture_pixels": picture_pixels,
        "pictures": pictures,
        "void_pixels": void,
        "sample_classes": shown,
    }


def assert_counted(stats: ClassStats, expected: dict[str, list]) -> None:
    for key, value in expected.items():
        found = getattr(stats, key)
        assert json.loads(json.dumps(found)) == value, key


@pytest.mark.parametrize("palette", ["color", "index"])
@pytest.mark.parametrize("split", ["train", "trainval"])
def test_made_up_labels(voc: Path, make_config: MakeConfig, split: str, palette: str) -> None:
    config = make_config(voc, labels={"palette": palette, "ignore_index": 0})
    stats = count_classes(config, split=split)
    assert_counted(stats, slow_count(voc, split))
    assert (stats.dataset, stats.split, stats.bad_files) == ("voc2012", split, ())


def test_real_labels(real_voc: Path, make_config: MakeConfig) -> None:
    stats = count_classes(make_config(real_voc), split="trainval")
    assert_counted(stats, slow_count(real_voc, "trainval"))
    assert 0 in stats.pixels, "there are classes that this sample of VOC does not show"


def test_no_picture_is_read(voc: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    root = shutil.copytree(voc, tmp_path / "voc")
    for path in (root / "JPEGImages").iterdir():
        path.write_bytes(b"")
    assert count_classes(make_config(root)) == count_classes(make_config(voc))


def test_progress(make_config: MakeConfig) -> None:
    calls: list[tuple[int, int]] = []
    count_classes(make_config(), split="trainval", progress=lambda *call: calls.append(call))
    assert calls == [(i, 21) for i in range(22)]


@pytest.fixture
def broken(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """Forty pairs, five labels of them bad in as many ways, two in one batch; file -> reason."""
    root = encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60) for i in range(40)])
    labels = [root / f"SegmentationClass/s{i:04d}.png" for i in range(40)]
    labels[0].write_bytes(b"")
    labels[7].write_bytes(labels[7].read_bytes()[:90])
    labels[20].unlink()
    labels[33].unlink()
    labels[33].mkdir()
    Image.fromarray(np.full((4, 5), 99, np.uint8)).save(labels[39])
    reasons = ["is empty", "truncated PNG", "no such file", "this is a folder", "99"]
    return root, {str(labels[i]): r for i, r in zip((0, 7, 20, 33, 39), reasons, strict=True)}


def test_bad_labels_count_as_showing_nothing(
    broken: tuple[Path, dict[str, str]],
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
) -> None:
    root, bad = broken
    names = tuple(Path(path).stem for path in bad)
    for on_error in "skip", "replace":
        caplog.clear()
        stats = count_classes(make_config(root, loader={"on_error": on_error}))
        assert_counted(stats, slow_count(root, "train", leave_out=names))
        for (path, reason), sentence, record in zip(
            bad.items(), stats.bad_files, caplog.records, strict=True
        ):
            assert sentence.startswith(f"{path}: ")
            assert reason in sentence
            assert record.getMessage() == f"{sentence}; it counts as showing nothing"


def test_a_bad_label_is_named(broken: tuple[Path, dict[str, str]], make_config: MakeConfig) -> None:
    root, bad = broken
    with pytest.raises(DatasetError, match=r"s0020.png: no such file"):
        count_classes(make_config(root))
    (root / "ImageSets/Segmentation/train.txt").write_text("s0001\ns0007\ns0002\n")
    with pytest.raises(SampleError, match="truncated PNG") as error:
        count_classes(make_config(root))
    assert error.value.path == list(bad)[1]


def test_unknown_values_are_void_or_an_error(
    broken: tuple[Path, dict[str, str]], make_config: MakeConfig
) -> None:
    root, _ = broken
    (root / "ImageSets/Segmentation/train.txt").write_text("s0039\n")
    with pytest.raises(SampleError, match="99"):
        count_classes(make_config(root))
    stats = count_classes(make_config(root, labels={"unknown": "ignore"}))
    assert (stats.void_pixels, sum(stats.pixels), stats.sample_classes) == (20, 0, ((),))


def test_failures_without_a_bad_file_come_to_an_end(
    broken: tuple[Path, dict[str, str]], make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = broken
    calls: list[int] = []
    monkeypatch.setattr(
        "dali_voc._read_once.bad_samples_of", lambda *_, **__: calls.append(1) or {}
    )
    with pytest.raises(LoaderError, match=r"failed 6 times on labels from .*s0000.png on"):
        count_classes(make_config(root, loader={"on_error": "skip"}))
    assert len(calls) == 6


def test_all_labels_bad(voc: Path, make_config: MakeConfig, tmp_path: Path) -> None:
    root = shutil.copytree(voc, tmp_path / "voc")
    for path in (root / "SegmentationClass").iterdir():
        path.write_bytes(b"rubbish")
    stats = count_classes(make_config(root, loader={"on_error": "skip"}))
    assert stats.pixels == (0,) * 21
    assert len(stats.bad_files) == len(stats.sample_classes) == 14
    for method in "inverse", "median":
        assert loss_weights(stats, method=method).tolist() == [0.0] * 21


def tiny(**changes: object) -> ClassStats:
    """Two pictures of 100 pixels: the first of classes 0 and 1, the second of 0 and void."""
    values: dict[str, object] = {
        "dataset": "voc2012",
        "split": "train",
        "samples": "2 samples, sha256 0",
        "classes": ("ground", "cat", "unicorn"),
        "pixels": (140, 20, 0),
        "picture_pixels": (160, 100, 0),
        "void_pixels": 40,
        "sample_classes": ((0, 1), (0,)),
    }
    return ClassStats(**{**values, **changes})  # type: ignore[arg-type]


def test_loss_weights_by_hand() -> None:
    # shares 7/8 and 1/8; inverse 8/7 and 8; their mean 32/7
    assert loss_weights(tiny()).tolist() == pytest.approx([0.25, 1.75, 0.0])
    # frequencies 7/8 and 1/5, median 43/80
    expected = [43 / 70, 43 / 16, 0.0]
    assert loss_weights(tiny(), method="median").tolist() == pytest.approx(expected)
    with pytest.raises(ValueError, match="found 'mean', expected 'inverse' or 'median'"):
        loss_weights(tiny(), method="mean")  # type: ignore[arg-type]


def test_loss_weights_against_slow_versions(real_voc: Path, make_config: MakeConfig) -> None:
    stats = count_classes(make_config(real_voc), split="trainval")
    found = loss_weights(stats), loss_weights(stats, method="median")
    labels = [
        np.array(Image.open(real_voc / f"SegmentationClass/{name}.png"))
        for name in (real_voc / "ImageSets/Segmentation/trainval.txt").read_text().split()
    ]
    whole = np.concatenate([label[label < 21] for label in labels])
    frequency = {}
    for c in np.unique(whole).tolist():
        showing = [label[label < 21] for label in labels if (label == c).any()]
        frequency[c] = np.mean(np.concatenate(showing) == c)
    inverse = {c: 1 / np.mean(whole == c) for c in frequency}
    for c in range(21):
        there = c in frequency
        mean = sum(inverse.values()) / len(inverse)
        assert found[0][c].item() == pytest.approx(inverse[c] / mean if there else 0.0)
        median = sorted(frequency.values())[len(frequency) // 2]
        assert found[1][c].item() == pytest.approx(median / frequency[c] if there else 0.0)
    assert len(frequency) % 2 == 1, "so that the median is one of them"


def test_cross_entropy_takes_them(make_config: MakeConfig) -> None:
    weight = loss_weights(count_classes(make_config()))
    with build_loader(make_config(), split="val") as loader:
        _, labels = next(iter(loader))
    scores = torch.zeros(len(labels), 21, *labels.shape[1:])
    loss = torch.nn.functional.cross_entropy(scores, labels, weight=weight, ignore_index=255)
    assert loss.item() == pytest.approx(np.log(21), rel=1e-5)


def test_file(tmp_path: Path, make_config: MakeConfig) -> None:
    stats = count_classes(make_config())
    stats.save(tmp_path / "stats.json")
    assert ClassStats.load(tmp_path / "stats.json") == stats
    written = json.loads((tmp_path / "stats.json").read_text())
    assert written["version"] == 1
    assert written["pixels"] == list(stats.pixels)
    assert len((tmp_path / "stats.json").read_text().splitlines()) == len(written) + 2
    with pytest.raises(FileNotFoundError):
        stats.save(tmp_path / "none/stats.json")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[1]", "found version None of class statistics, expected 1"),
        ('{"version": 2}', "found version 2 of class statistics, expected 1"),
        ('{"version": 1}', "damaged class statistics (dataset: Field required)"),
        ({"pixels": [1, 2, -3]}, "(pixels.2: Input should be greater than or equal to 0)"),
        ({"pixels": [1, 2, 1e300]}, "(pixels.2: "),
        ({"pixels": [1, 2]}, "(expected one count for each of 3 classes)"),
        ({"sample_classes": [[0, 1], [3]]}, "(expected class indices below 3)"),
        ({"sample_classes": [[0], [0]]}, "(expected pixels of the classes that samples show"),
        ({"picture_pixels": [0, 0, 0]}, "(expected no more pixels of a class than its pictures"),
    ],
)
def test_damaged_files(tmp_path: Path, text: str | dict[str, object], reason: str) -> None:
    path = tmp_path / "stats.json"
    if isinstance(text, dict):
        tiny().save(path)
        text = json.dumps({**json.loads(path.read_text()), **text})
    path.write_text(text)
    with pytest.raises(DatasetError) as error:
        ClassStats.load(path)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_samples_are_told_apart_by_names_and_order() -> None:
    def digest(*names: str) -> str:
        paths = PathList(names)
        return PairIndex(images=paths, labels=paths, spec=VOC_SPEC).digest()

    assert digest("a", "bc").startswith("2 samples, sha256 ")
    found = {digest(*names) for names in (("a", "bc"), ("ab", "c"), ("bc", "a"), ("a", "bd"))}
    assert len(found) == 4


def test_file_of_another_split(tmp_path: Path, voc: Path, make_config: MakeConfig) -> None:
    path = tmp_path / "stats.json"
    index = find_pairs("voc2012", voc, "train")
    with pytest.raises(DatasetError, match=r"No such file .*'dali-voc stats CONFIG' writes"):
        ClassStats.load_for(path, index, split="train")
    stats = count_classes(make_config())
    stats.save(path)
    assert ClassStats.load_for(path, index, split="train") == stats
    with pytest.raises(DatasetError) as error:
        ClassStats.load_for(path, find_pairs("voc2012", voc, "val"), split="val")
    assert "class statistics of other samples (found 14 samples, sha256 " in str(error.value)
    assert ", expected 7 samples, sha256 " in str(error.value)
    assert str(error.value).endswith("; run 'dali-voc stats CONFIG' again")
    with pytest.raises(DatasetError, match=r"of other splits \(found train, expected same\)"):
        ClassStats.load_for(path, index, split="same")
    for old, new, reason in (
        ('"cat"', '"kat"', "of other classes (found 'kat', expected 'cat')"),
        ('"sample_classes": [', '"sample_classes": [[0], ', "samples (found 15, expected 14)"),
    ):
        stats.save(path)
        path.write_text(path.read_text().replace(old, new))
        with pytest.raises(DatasetError) as error:
            ClassStats.load_for(path, index, split="train")
        assert reason in str(error.value)


def test_values_that_mean_something_else(make_config: MakeConfig, tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    stats = count_classes(make_config())
    stats.save(path)
    index = find_index(make_config().dataset, "train")
    assert ClassStats.load_for(path, index, split="train") == stats
    mapped = make_config(dataset={"map": {"cat": "dog"}})
    with pytest.raises(DatasetError, match="of other label values"):
        ClassStats.load_for(path, find_index(mapped.dataset, "train"), split="train")
    dataclasses.replace(stats, meaning="").save(path)  # of an earlier version
    assert ClassStats.load_for(path, index, split="train").pixels == stats.pixels


def test_the_chart_counts_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not what has none."""
    stats = ClassStats(
        dataset="d",
        split="s",
        samples="2 samples, x",
        classes=("a", "b"),
        pixels=(3, 1),
        picture_pixels=(4, 4),
        void_pixels=0,
        sample_classes=((0, 1), ()),
        unlabeled=1,
    )
    figure = pytest.importorskip("matplotlib.figure").Figure
    texts: list[str] = []
    suptitle = figure.suptitle
    monkeypatch.setattr(
        figure, "suptitle", lambda self, text, **k: texts.append(text) or suptitle(self, text, **k)
    )
    bars: list[list[float]] = []
    monkeypatch.setattr(
        "dali_voc.commands._class_chart._bars",
        lambda axes, shares, **_: bars.append(shares) or axes.barh(range(2), shares),
    )
    class_chart(stats)
    assert texts == ["d, s: classes in 1 labels"]
    assert bars[1] == [100.0, 100.0]


def test_a_class_has_no_more_pixels_than_its_pictures() -> None:
    values = {"dataset": "d", "split": "s", "samples": "", "classes": ("a",), "void_pixels": 0}
    values |= {"sample_classes": ((0,),), "pixels": (5,)}
    ClassStats(**values, picture_pixels=(5,))
    with pytest.raises(ValueError, match="expected no more pixels of a class"):
        ClassStats(**values, picture_pixels=(4,))
