"""Bad files survived: skipped or replaced, at the right place, and nothing else lost."""

from __future__ import annotations

import itertools
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import numpy as np
import pytest
import torch
from PIL import Image

from dali_voc import Config, Loader, LoaderError, SampleError, build_loader
from dali_voc._batches import BatchKey
from dali_voc._substitutes import Substitutes
from dali_voc.pictures import denormalize
from dali_voc.pipeline._pairs import PairGraph, plain_python
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
CROP = {"crop_size": [40, 48]}
N = 20


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return encoded_voc.write(tmp_path / "voc", sizes=[(50 + i, 60 + i) for i in range(N)])


def image(root: Path, i: int) -> Path:
    return root / f"JPEGImages/s{i:04d}.jpg"


def label(root: Path, i: int) -> Path:
    return root / f"SegmentationClass/s{i:04d}.png"


def break_some(root: Path) -> dict[int, Path]:
    """Damage five samples in five ways; sample -> the file at fault."""
    image(root, 2).write_bytes(b"")
    image(root, 3).write_bytes(image(root, 3).read_bytes()[:100])
    label(root, 9).write_bytes(label(root, 9).read_bytes()[:90])
    label(root, 10).unlink()
    label(root, 10).symlink_to("nothing")
    shutil.copy(label(root, 0), label(root, 15))  # another size
    images, labels = {i: image(root, i) for i in (2, 3)}, {i: label(root, i) for i in (9, 10, 15)}
    return images | labels


def shown(config: Config, batch: tuple[torch.Tensor, torch.Tensor]) -> list[int]:
    return [int(picture[0, 0, 0]) for picture in denormalize(batch[0], config.normalize)]


def collect(loader: Loader) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(images.clone(), labels.clone()) for images, labels in loader]


@pytest.mark.parametrize("prefetch", [1, 3])
@pytest.mark.parametrize("split", ["train", "val"])
def test_skip(
    root: Path,
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
    split: str,
    prefetch: int,
) -> None:
    loader = {"batch_size": 3, "prefetch": prefetch}
    with build_loader(make_config(root, augment=CROP, loader=loader), split=split) as sound:
        expected = [collect(sound) for _ in range(2)]
    bad = break_some(root)
    config = make_config(root, augment=CROP, loader={**loader, "on_error": "skip"})
    with build_loader(config, split=split) as survivor:
        found = [collect(survivor) for _ in range(2)]
        report = survivor.report()
    for epoch, epoch_expected in zip(found, expected, strict=True):
        for batch, other in zip(epoch, epoch_expected, strict=True):
            for i, sample in enumerate(shown(config, other)):
                if sample in bad:
                    assert (batch[1][i] == 255).all()
                    assert (batch[0][i] == 0).all()
                else:
                    assert torch.equal(batch[0][i], other[0][i])
                    assert torch.equal(batch[1][i], other[1][i])
    assert {file.path: file.times for file in report.bad_files} == {
        str(path): 2 for path in bad.values()
    }
    assert report.samples == 10
    messages = [r.getMessage() for r in caplog.records if r.name == "dali_voc"]
    assert len(messages) == 5
    assert all(any(m.startswith(f"{path}: ") for m in messages) for path in bad.values())
    assert all(m.endswith("skipped from now on") for m in messages)


@pytest.mark.parametrize("batch_size", [1, 4, N])
def test_replace(
    root: Path, make_config: MakeConfig, caplog: pytest.LogCaptureFixture, batch_size: int
) -> None:
    caplog.set_level(logging.WARNING)
    bad = break_some(root)
    replaced: list[dict[int, int]] = []
    for size in (batch_size, 3):
        loader = {"batch_size": size, "on_error": "replace"}
        config = make_config(root, augment=CROP, loader=loader)
        with build_loader(config) as survivor:
            for _ in range(2):
                plan = survivor._plan._order(survivor._position.following.epoch)
                seen = [s for batch in survivor for s in shown(config, batch)]
                stand_ins = {p: s for p, s in zip(plan.tolist(), seen, strict=True) if p != s}
                assert set(stand_ins) == set(bad)
                assert not set(stand_ins.values()) & set(bad)
                replaced.append(stand_ins)
            assert survivor.report().samples == 10
    # the same stand-ins whatever the batch size, that is, in whatever order the files were met
    assert replaced[:2] == replaced[2:]
    assert replaced[0] != replaced[1]


def test_stand_ins_in_validation_are_the_same_in_each_pass(
    root: Path, make_config: MakeConfig
) -> None:
    """So that a score does not change with the number of the pass."""
    bad = break_some(root)
    config = make_config(root, augment=CROP, loader={"batch_size": N, "on_error": "replace"})
    with build_loader(config, split="val") as loader:
        passes = [shown(config, batch) for _ in range(4) for batch in loader]
    assert passes == [passes[0]] * 4
    assert all((found == i) == (i not in bad) for i, found in enumerate(passes[0]))


def test_no_sample_of_weight_0_stands_in(root: Path, make_config: MakeConfig) -> None:
    bad = break_some(root)
    config = make_config(root, augment=CROP, loader={"batch_size": 4, "on_error": "replace"})
    drawn = {2, 5, 9, 11}
    with build_loader(config, weights=[float(i in drawn) for i in range(N)]) as loader:
        seen = {s for _ in range(4) for batch in loader for s in shown(config, batch)}
        assert seen == drawn - set(bad)
        assert loader.report().samples > 4
    with (
        build_loader(config, weights=[float(i in bad) for i in range(N)]) as loader,
        pytest.raises(LoaderError, match="all 5 samples of a weight above 0 are bad; the first: "),
    ):
        list(loader)


def test_stand_ins_have_crops_of_their_own(root: Path, make_config: MakeConfig) -> None:
    bad = break_some(root)
    loader = {"batch_size": N, "on_error": "replace"}
    config = make_config(root, augment={"crop_size": [40, 48], "flip": 0}, loader=loader)
    with build_loader(config) as survivor:
        list(survivor)
        for epoch in range(1, 4):
            batch, _ = survivor.batch_at(epoch=epoch, step=0)
            positions = batch.parameters["position"][:, 0].tolist()
            assert len(set(positions)) == N
            nobody = Substitutes(seed=0, num_samples=N)
            whole = next(survivor.plan.from_here(BatchKey(epoch=epoch), nobody))
            # as drawn for those that were planned
            assert set(batch.planned[batch.planned != batch.samples].tolist()) == set(bad)
            assert np.array_equal(whole.planned, batch.planned)
            assert np.array_equal(whole.parameters["position"], batch.parameters["position"])


@pytest.mark.parametrize("on_error", ["skip", "replace"])
def test_resume_with_bad_files_is_exact(root: Path, make_config: MakeConfig, on_error: str) -> None:
    break_some(root)
    config = make_config(root, augment=CROP, loader={"batch_size": 6, "on_error": on_error})
    assert_resumes_exactly(lambda: build_loader(config))


def test_a_file_truncated_and_one_removed_while_the_epoch_runs(
    root: Path, make_config: MakeConfig
) -> None:
    config = make_config(root, augment=CROP, loader={"batch_size": 2, "on_error": "skip"})
    with build_loader(config, split="val") as loader:
        iterator = iter(loader)
        found = [next(iterator) for _ in range(2)]
        image(root, 12).write_bytes(image(root, 12).read_bytes()[:100])
        label(root, 17).unlink()
        found += list(iterator)
        assert [f.path for f in loader.report().bad_files] == [
            str(image(root, 12)),
            str(label(root, 17)),
        ]
    ignored = [i for i, m in enumerate(torch.cat([maps for _, maps in found])) if (m == 255).all()]
    assert ignored == [12, 17]


def test_raise_then_go_on(root: Path, make_config: MakeConfig) -> None:
    """After the exception the position is still before the batch; nothing is lost or repeated."""
    config = make_config(root, augment=CROP, loader={"batch_size": 4})
    before = image(root, 9).read_bytes()
    with build_loader(config, split="val") as loader:
        image(root, 9).write_bytes(b"")
        iterator = iter(loader)
        seen = [s for _ in range(2) for s in shown(config, next(iterator))]
        for _ in range(2):
            with pytest.raises(SampleError, match="the file is empty"):
                next(iterator)
        image(root, 9).write_bytes(before)
        seen += [s for batch in iterator for s in shown(config, batch)]
        assert seen == list(range(N))


def test_a_bad_file_in_an_abandoned_epoch_does_not_matter(
    root: Path, make_config: MakeConfig
) -> None:
    config = make_config(root, augment=CROP, loader={"batch_size": 4, "prefetch": 3})
    image(root, 9).write_bytes(b"")
    with build_loader(config, split="val") as loader:
        for _ in range(3):
            first = next(iter(loader))
            assert shown(config, first) == [0, 1, 2, 3]


@pytest.mark.parametrize("mixing", ["cutmix", "classmix", "copy_paste"])
def test_skipped_samples_neither_give_nor_take(
    root: Path, make_config: MakeConfig, mixing: str
) -> None:
    """In a batch of two, of which one is skipped, there is nobody to mix with."""
    bad = break_some(root)
    loader = {"batch_size": 2, "on_error": "skip"}
    plain = make_config(root, augment=CROP, loader=loader)
    config = make_config(root, augment={**CROP, mixing: 1.0}, loader=loader)
    met = 0
    with build_loader(plain) as expected, build_loader(config) as found:
        for epoch, step in itertools.product(range(2), range(len(found))):
            batch, (images, labels) = found.batch_at(epoch=epoch, step=step)
            _, (plain_images, plain_labels) = expected.batch_at(epoch=epoch, step=step)
            if bad.keys() & set(batch.planned.tolist()):
                met += 1
                assert torch.equal(images, plain_images)
                assert torch.equal(labels, plain_labels)
    assert met > 2


def test_all_bad_is_an_error(root: Path, make_config: MakeConfig) -> None:
    for i in range(N):
        image(root, i).write_bytes(b"")
    config = make_config(root, augment=CROP, loader={"batch_size": 4, "on_error": "replace"})
    with (
        build_loader(config) as loader,
        pytest.raises(LoaderError, match="all 20 samples are bad; the first: "),
    ):
        list(loader)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(root: Path, make_config: MakeConfig) -> None:
    image(root, 0).chmod(0)
    with (
        build_loader(make_config(root, augment=CROP)) as loader,
        pytest.raises(SampleError, match="cannot be read"),
    ):
        list(loader)


def test_folder_in_place_of_a_file(root: Path, make_config: MakeConfig) -> None:
    for path in image(root, 4), label(root, 5):
        path.unlink()
        path.mkdir()
    config = make_config(root, augment=CROP, loader={"on_error": "skip"})
    with build_loader(config, split="val") as loader:
        list(loader)
        reasons = {file.path: file.reason for file in loader.report().bad_files}
    assert reasons == dict.fromkeys(
        (str(image(root, 4)), str(label(root, 5))), "this is a folder, expected a file"
    )


def test_small_drop_keeps_going_too(root: Path, make_config: MakeConfig) -> None:
    label(root, 7).write_bytes(b"rubbish")
    augment: dict[str, Any] = {"crop_size": [52, 62], "small": "drop"}
    config = make_config(root, augment=augment, loader={"on_error": "replace"})
    with build_loader(config) as loader:
        assert sum(len(images) for images, _ in loader) == N - 2
        assert [file.path for file in loader.report().bad_files] == [str(label(root, 7))]


def test_code_in_a_folder_called_after_cuda(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DALI's errors name the files of Python that put operators into the graph."""
    with Image.open(image(root, 4)) as picture:
        picture.convert("CMYK").save(image(root, 4), "JPEG")  # which DALI decodes
    damaged = bytearray(image(root, 4).read_bytes())
    tables = damaged.index(b"\xff\xc4") + 5
    damaged[tables : tables + 16] = bytes([255] * 16)
    image(root, 4).write_bytes(damaged)
    graph: dict[str, Any] = {"original": PairGraph._decode_window}
    code = "def decode(*arguments):\n    return original(*arguments)\n"
    exec(compile(code, "/opt/envs/cuda12/graph.py", "exec"), graph)
    monkeypatch.setattr(PairGraph, "_decode_window", plain_python(graph["decode"]))
    config = make_config(root, augment=CROP, loader={"on_error": "skip"})
    with build_loader(config) as loader:
        assert sum(len(images) for images, _ in collect(loader)) == N
        (bad,) = loader.report().bad_files
        assert bad.path == str(image(root, 4))


@pytest.mark.parametrize("place", [0, 4])  # the first is looked at before, too
@pytest.mark.parametrize("which", [image, label])
def test_a_pipe_is_not_waited_for(
    root: Path, make_config: MakeConfig, which: Any, place: int
) -> None:
    which(root, place).unlink()
    os.mkfifo(which(root, place))
    with build_loader(make_config(root, augment=CROP, loader={"on_error": "skip"})) as loader:
        collect(loader)
        (bad,) = loader.report().bad_files
        assert (bad.path, bad.reason) == (str(which(root, place)), "this is not a regular file")


@pytest.mark.parametrize("policy", ["skip", "replace"])
def test_what_is_bad_only_within_batches(
    root: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    """A file that changes all the time may be sound whenever it is looked at by itself."""
    label(root, 9).write_bytes(label(root, 9).read_bytes()[:90])
    monkeypatch.setattr("dali_voc._bad_samples._Trial.problem", lambda *_: None)
    with build_loader(make_config(root, augment=CROP, loader={"on_error": policy})) as loader:
        assert sum(len(images) for images, _ in collect(loader)) == N
        (bad,) = loader.report().bad_files
        assert bad.path == str(label(root, 9))


def test_the_last_that_is_good_is_found() -> None:
    n = 2000
    substitutes = Substitutes(seed=0, num_samples=n)
    for sample in range(1, n):
        substitutes.add(sample, SampleError(f"{sample}.jpg", "is bad"), consequence="skipped")
    # sample 0 comes last in turn after sample 1, and chance hardly ever finds it
    assert substitutes.apply(0, np.arange(n)).tolist() == [0] * n


def test_a_file_of_several_samples_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    substitutes = Substitutes(seed=0, num_samples=9)
    for sample in 3, 5, 3:
        substitutes.add(sample, SampleError("a.jpg", "is bad"), consequence="skipped")
    assert len(caplog.messages) == 1
