"""The example in examples/train.py: it runs, learns, resumes and scores as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchrun_command import torchrun_command
from warm_python import warm_python

from dali_voc import build_loader
from dali_voc.datasets.voc import VOC_SPEC
from dali_voc.synthetic import write_voc

EXAMPLES = Path(__file__).parents[1] / "examples"
SCRIPT = EXAMPLES / "train.py"
LINE = r"^epoch +(\d+)  loss (\d+\.\d+)  mIoU (\d\.\d+)  \d+\.\d s, \d+% of it waiting for data$"


@pytest.fixture
def example(monkeypatch):
    """The example as a module, with one thread, so that sums are always in the same order."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import train

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield train
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def small_voc(tmp_path_factory):
    return write_voc(tmp_path_factory.mktemp("small"), train=16, val=5)


def options(root, out, *more):
    return ["--root", str(root), "--out", str(out), "--crop", "64", "96", *map(str, more)]


def epochs_in(text):
    return [(int(e), float(loss), float(miou)) for e, loss, miou in re.findall(LINE, text, re.M)]


def run_script(folder, *arguments, processes=1):
    command = torchrun_command(processes=processes) if processes > 1 else warm_python()
    done = subprocess.run(
        [*command, SCRIPT, *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return epochs_in(done.stdout)


def weights(out):
    return torch.load(out / "checkpoint.pt", weights_only=True)["model"]


def slow_mean_iou(truth, predicted, *, classes, ignored):
    ratios = []
    for c in range(classes):
        hits = union = 0
        for t, p in zip(truth.flat, predicted.flat, strict=True):
            if t == ignored:
                continue
            hits += t == c and p == c
            union += c in (t, p)
        if union:
            ratios.append(hits / union)
    return np.mean(ratios)


@pytest.mark.parametrize("seed", range(3))
def test_mean_iou_against_a_slow_loop(example, seed):
    classes, ignored = 7, 255
    rng = np.random.default_rng(seed)
    # Class 5 occurs in the prediction only, class 6 in neither.
    truth = rng.choice([0, 1, 2, 3, 4, ignored], (2, 3, 8, 9))
    predicted = np.where(rng.random(truth.shape) < 0.6, truth, rng.integers(0, 6, truth.shape))
    predicted[truth == ignored] = rng.integers(0, classes, (truth == ignored).sum())
    measured = example.mean_iou(
        sum(
            example.confusion_matrix(
                torch.from_numpy(t), torch.from_numpy(p), classes=classes, ignored=ignored
            )
            for t, p in zip(truth, predicted, strict=True)
        )
    )
    expected = slow_mean_iou(truth, predicted, classes=classes, ignored=ignored)
    assert measured == pytest.approx(expected, abs=1e-6)


def test_mean_iou_by_hand(example):
    truth = torch.tensor([[0, 0, 1, 1, 255]])
    predicted = torch.tensor([[0, 1, 1, 2, 3]])
    confusion = example.confusion_matrix(truth, predicted, classes=5, ignored=255)
    assert confusion.sum() == 4
    assert example.mean_iou(confusion) == pytest.approx((1 / 2 + 1 / 3 + 0) / 3)


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_ranks_together_score_every_sample_once(example, make_config, small_voc, world):
    """Five samples; each rank's batches are filled up with repetitions, which must not count."""

    class Shade(torch.nn.Module):
        def forward(self, images):
            shade = (images.mean(1) * 10).long() % 21
            return torch.nn.functional.one_hot(shade, 21).permute(0, 3, 1, 2).float()

    total = 0
    for rank in range(world):
        ranks = {"batch_size": 2, "device": "cpu", "rank": rank, "world_size": world}
        config = make_config(small_voc, augment={"crop_size": [64, 96]}, loader=ranks)
        with build_loader(config, split="val") as val:
            total += example.evaluate(Shade(), val, ignored=255, rank=rank, world=world)
    config = make_config(small_voc, augment={"crop_size": [64, 96]}, loader={"batch_size": 1})
    expected = torch.zeros(21, 21, dtype=torch.int64)
    with build_loader(config, split="val") as val:
        for images, labels in val:
            predicted = Shade()(images).argmax(1)
            kept = labels != 255
            expected.index_put_((labels[kept], predicted[kept]), torch.tensor(1), accumulate=True)
    assert torch.equal(total, expected)


def test_loss_is_the_mean_over_valid_pixels(example):
    scores = torch.randn(2, 5, 3, 4, requires_grad=True)
    labels = torch.randint(0, 5, (2, 3, 4))
    labels[0, :, 1] = 255
    loss, shown = example.pixel_loss(scores, labels, ignored=255)
    by_hand = [
        -scores[n, :, y, x].log_softmax(0)[labels[n, y, x]].item()
        for n, y, x in (labels != 255).nonzero().tolist()
    ]
    assert loss.item() == shown == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_loss_of_nothing_valid_is_zero(example):
    scores = torch.randn(1, 5, 3, 4, requires_grad=True)
    loss, shown = example.pixel_loss(scores, torch.full((1, 3, 4), 255), ignored=255)
    loss.backward()
    assert shown == 0
    assert not scores.grad.any()


def test_learning_rate_rises_then_falls_to_zero(example):
    rates = [example.learning_rate(step, steps=100, peak=2.0) for step in range(100)]
    top = int(np.argmax(rates))
    assert 3 <= top <= 6
    assert rates[0] == pytest.approx(0.4)
    assert 1.9 < rates[top] <= 2.0
    assert np.all(np.diff(rates[: top + 1]) > 0)
    assert np.all(np.diff(rates[top:]) < 0)
    assert rates[-1] < 0.01


def test_scores_have_the_size_of_the_picture(example):
    model = example.build_network("small", classes=4)
    assert model(torch.zeros(2, 3, 37, 50)).shape == (2, 4, 37, 50)


def test_script_makes_up_its_own_data_and_learns(tmp_path):
    epochs = run_script(tmp_path, "--epochs", "2", "--batch-size", "16", "--crop", "48", "64")
    assert [epoch for epoch, _, _ in epochs] == [1, 2]
    assert epochs[-1][1] < epochs[0][1]
    assert {path.name for path in tmp_path.glob("runs/train/*")} == {"checkpoint.pt", "val.png"}
    assert not list(tmp_path.glob("tmp*"))


@pytest.mark.slow
def test_two_processes_share_one_made_up_set(tmp_path):
    arguments = ["--epochs", "1", "--batch-size", "16", "--crop", "16", "24"]
    epochs = run_script(tmp_path, *arguments, processes=2)
    assert len(epochs) == 1
    assert not list(tmp_path.glob("tmp*/JPEGImages"))


@pytest.mark.slow
def test_two_ranks_train_as_one_with_twice_the_batch(tmp_path, small_voc):
    """To rounding: sums over pixels are in another order, and Adam divides by small numbers."""
    arguments = ["--epochs", 3, "--batch-size"]
    two = run_script(tmp_path, *options(small_voc, tmp_path / "two", *arguments, 2), processes=2)
    one = run_script(tmp_path, *options(small_voc, tmp_path / "one", *arguments, 4))
    np.testing.assert_allclose(two, one, atol=0.0021)  # printed with three places
    ours, theirs = weights(tmp_path / "two"), weights(tmp_path / "one")
    assert ours.keys() == theirs.keys()
    for name, weight in theirs.items():
        torch.testing.assert_close(ours[name], weight, atol=1e-4, rtol=0)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 7])
def test_resume_goes_on_to_the_bit(example, monkeypatch, capsys, *, tmp_path, small_voc, cut):
    """Cut in mid-epoch (1, 3), after an epoch's last batch (4) or score (5), and in the next."""
    small = example.build_network

    def with_dropout(name, **keys):
        return torch.nn.Sequential(torch.nn.Dropout(0.1), small(name, **keys))

    monkeypatch.setattr(example, "build_network", with_dropout)
    common = ["--epochs", 2, "--batch-size", 4, "--save-every", 1]
    example.main(options(small_voc, tmp_path / "whole", *common))
    whole = epochs_in(capsys.readouterr().out)

    saves, save = [], example.save

    def save_and_die(*arguments):
        save(*arguments)
        saves.append(arguments)
        if len(saves) == cut:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(example, "save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            example.main(options(small_voc, tmp_path / "cut", *common))
    before = epochs_in(capsys.readouterr().out)
    example.main(options(small_voc, tmp_path / "cut", *common, "--resume"))
    assert before + epochs_in(capsys.readouterr().out) == whole
    ours, theirs = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert not list(tmp_path.glob("cut/*.tmp"))


@pytest.mark.slow
def test_sixteen_pictures_can_be_learnt_by_heart(example, capsys, tmp_path):
    root = write_voc(tmp_path / "voc", train=16, val=1)
    for path in [*root.glob("JPEGImages/*"), *root.glob("SegmentationClass/*")]:
        with Image.open(path) as image:
            image.resize((96, 72), Image.Resampling.NEAREST).save(path)
    lists = root / "ImageSets/Segmentation"
    (lists / "val.txt").write_text((lists / "train.txt").read_text())
    arguments = ["--epochs", 100, "--batch-size", 4, "--lr", 0.01, "--set", "augment.flip=0"]
    example.main(options(root, tmp_path / "out", *arguments, "--crop", 72, 96))
    assert epochs_in(capsys.readouterr().out)[-1][2] > 0.9


def test_mixed_precision_is_near_full_precision(example, capsys, tmp_path, small_voc):
    common = ["--epochs", 1, "--batch-size", 4]
    example.main(options(small_voc, tmp_path / "full", *common))
    example.main(options(small_voc, tmp_path / "mixed", *common, "--amp"))
    (_, full, _), (_, mixed, _) = epochs_in(capsys.readouterr().out)
    assert mixed == pytest.approx(full, rel=0.05)
    first = "stages.0.0.weight"
    assert not torch.equal(weights(tmp_path / "full")[first], weights(tmp_path / "mixed")[first])


def test_picture_has_every_sample_and_a_legend(example, make_config, tmp_path, small_voc):
    config = make_config(small_voc, augment={"crop_size": [64, 96]})
    with build_loader(config, split="val") as val:
        example.draw(example.build_network("small", classes=21), val, config, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as sheet:
        colors = {color for _, color in sheet.convert("RGB").getcolors(1 << 24)}
        width, height = sheet.size
    # four samples of three pictures each, which are shown twice as large
    assert width * height > 4 * 3 * (128 * 192)
    with build_loader(config, split="val") as val:
        _, labels = next(iter(val))
    assert {VOC_SPEC.colors[index] for index in set(labels.unique().tolist()) - {255}} <= colors


def test_set_wins_over_options_and_options_over_the_file(example, tmp_path):
    path = tmp_path / "voc.yaml"
    path.write_text("dataset: {root: /there}\nloader: {batch_size: 3, seed: 5, prefetch: 7}\n")
    arguments = [
        "--config",
        str(path),
        "--batch-size",
        "4",
        "--seed",
        "6",
        "--set",
        "loader.seed=8",
    ]
    config = example.read_config(example.parse_options(arguments), None)
    assert config.dataset.root == "/there"
    found = config.loader
    assert (found.batch_size, found.seed, found.prefetch) == (4, 8, 7)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "torchvision:fcn_resnet50"], "needs torchvision, which is not installed"),
        (["--model", "large"], "expected small or torchvision:NAME"),
        (["--resume"], "no checkpoint to resume from"),
        (["--set", "loader.batch_sise=1"], "batch_sise"),
    ],
)
def test_errors_are_one_sentence(example, monkeypatch, tmp_path, *, small_voc, arguments, sentence):
    monkeypatch.setitem(sys.modules, "torchvision", None)  # as if it were not installed
    with pytest.raises(SystemExit) as stop:
        example.main(options(small_voc, tmp_path / "out", *arguments))
    assert sentence in str(stop.value)
    assert "\n" not in str(stop.value)


def test_a_network_of_torchvision_by_its_name(example, monkeypatch, capsys, tmp_path, small_voc):
    """A stand-in with torchvision's interface: the real one need not be installed."""

    class Network(torch.nn.Conv2d):
        def forward(self, images):
            return {"out": super().forward(images), "aux": None}

    def fcn_resnet50(*, weights, weights_backbone, num_classes):
        assert weights is weights_backbone is None
        return Network(3, num_classes, 1)

    models = types.ModuleType("torchvision.models")
    models.segmentation = types.SimpleNamespace(fcn_resnet50=fcn_resnet50)
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    common = ["--epochs", 1, "--model"]
    example.main(options(small_voc, tmp_path, *common, "torchvision:fcn_resnet50"))
    assert len(epochs_in(capsys.readouterr().out)) == 1
    with pytest.raises(SystemExit, match="has no 'fcn_resnet5'"):
        example.main(options(small_voc, tmp_path, *common, "torchvision:fcn_resnet5"))


def test_a_real_network_of_torchvision(example):
    pytest.importorskip("torchvision")
    model = example.build_network("torchvision:fcn_resnet50", classes=21)
    assert model(torch.zeros(2, 3, 64, 96)).shape == (2, 21, 64, 96)


@pytest.mark.parametrize(
    "mode", [["full"], ["resize"], ["slide"], ["slide", "augment.resize_shorter=100"]], ids=str
)
def test_predictions_have_the_names_and_sizes_of_the_files(
    example, small_voc, tmp_path, capsys, mode
):
    import predict

    example.main([*options(small_voc, tmp_path, "--epochs", 1)])
    capsys.readouterr()
    checkpoint = tmp_path / "checkpoint.pt"
    keys = [f"augment.validation={mode[0]}", *mode[1:], f"dataset.root={small_voc}"]
    keys.append("augment.crop_size=[64,96]")
    arguments = [str(checkpoint), *(part for key in keys for part in ("--set", key))]
    predict.main([*arguments, "--out", str(tmp_path / "known")])
    shown = capsys.readouterr().out
    measured = float(re.search(r"mIoU (\d\.\d{3})$", shown)[1])
    names = (small_voc / "ImageSets/Segmentation/val.txt").read_text().split()
    assert sorted(path.stem for path in (tmp_path / "known").iterdir()) == sorted(names)
    truths, predictions = [], []
    for name in names:
        with Image.open(tmp_path / f"known/{name}.png") as picture:
            assert picture.mode == "P"
            colors = np.array(picture.getpalette()).reshape(-1, 3)[:21].tolist()
            predictions.append(np.array(picture).ravel())
        with Image.open(small_voc / f"SegmentationClass/{name}.png") as label:
            assert label.size == picture.size
            truths.append(np.array(label).ravel())
    assert colors == [list(color) for color in VOC_SPEC.colors]
    truth, predicted = map(np.concatenate, (truths, predictions))
    confusion = example.confusion_matrix(
        torch.from_numpy(truth).long(),
        torch.from_numpy(predicted).long(),
        classes=21,
        ignored=255,
    )
    assert measured == pytest.approx(example.mean_iou(confusion), abs=6e-4)
    # the same without labels, which nobody looks for
    alone = tmp_path / "alone"
    shutil.copytree(small_voc, alone, ignore=shutil.ignore_patterns("SegmentationClass"))
    arguments += ["--set", f"dataset.root={alone}", "--set", "dataset.unlabeled=true"]
    predict.main([*arguments, "--out", str(tmp_path / "unknown")])
    assert "mIoU" not in capsys.readouterr().out
    for name in names:
        first, second = (tmp_path / kind / f"{name}.png" for kind in ("known", "unknown"))
        assert first.read_bytes() == second.read_bytes()


def test_bad_files_get_no_prediction_and_no_name_two(example, small_voc, tmp_path):
    import predict

    example.main([*options(small_voc, tmp_path, "--epochs", 1)])
    root = Path(shutil.copytree(small_voc, tmp_path / "voc"))
    names = (root / "ImageSets/Segmentation/val.txt").read_text().split()
    (root / f"JPEGImages/{names[1]}.jpg").write_bytes(b"bad")
    arguments = [str(tmp_path / "checkpoint.pt"), "--out", str(tmp_path / "out"), "--set"]
    predict.main([*arguments, f"dataset.root={root}", "--set", "loader.on_error=skip"])
    written = {path.stem for path in (tmp_path / "out").iterdir()}
    assert written == {*names} - {names[1]}
    with pytest.raises(SystemExit, match=rf"{names[1]}\.jpg: this is not an image"):
        predict.main([*arguments, f"dataset.root={root}"])
    sources = f"[{{name: voc2012, root: {small_voc}}}, {{name: voc2012, root: {small_voc}}}]"
    twice = [
        "dataset.root=/",
        "--set",
        "dataset.name=sources",
        "--set",
        f"dataset.sources={sources}",
    ]
    with pytest.raises(SystemExit, match=rf"{names[0]}\.jpg: another picture has its name"):
        predict.main([*arguments, *twice])


def test_a_checkpoint_of_other_classes_is_refused(example, small_voc, tmp_path):
    import predict

    example.main([*options(small_voc, tmp_path, "--epochs", 1)])
    keys = [f"dataset.root={small_voc}", "dataset.name=voc_layout", "dataset.classes=[a, b]"]
    arguments = [str(tmp_path / "checkpoint.pt"), *(p for key in keys for p in ("--set", key))]
    with pytest.raises(SystemExit, match=r"checkpoint\.pt: does not fit --model and 2 classes"):
        predict.main(arguments)
    (tmp_path / "text.pt").write_text("no checkpoint")
    torch.save({"weights": 1}, tmp_path / "other.pt")
    for name in "text.pt", "other.pt":
        with pytest.raises(SystemExit, match=rf"{name}: no checkpoint of examples/train\.py \("):
            predict.main([str(tmp_path / name), *arguments[1:]])
    with pytest.raises(SystemExit, match="no checkpoint, expected one of"):
        predict.main(["nowhere.pt", *arguments[1:]])
    with pytest.raises(SystemExit, match="found center, expected full, resize or slide"):
        predict.main([*arguments, "--set", "augment.validation=center"])
    with pytest.raises(SystemExit, match="found replace, expected raise or skip"):
        predict.main([*arguments, "--set", "loader.on_error=replace"])
