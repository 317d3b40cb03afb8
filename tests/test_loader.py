"""Epochs, lengths, breaks, turns and lifetimes."""

from __future__ import annotations

import copy
import dataclasses
import gc
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from dali_voc import (
    Config,
    ConfigError,
    DatasetError,
    Loader,
    LoaderError,
    SampleError,
    build_loader,
)
from dali_voc.datasets import find_index
from dali_voc.datasets._sizes import find_large
from dali_voc.randomness import Stream
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
SMALL = {"crop_size": [64, 96]}


def epoch_of(loader: Loader) -> list[torch.Tensor]:
    return [images.clone() for images, _ in loader]


def same(first: list[torch.Tensor], second: list[torch.Tensor]) -> bool:
    return len(first) == len(second) and all(map(torch.equal, first, second))


def test_shapes_types_and_values(make_config: MakeConfig) -> None:
    config = make_config(loader={"batch_size": 4})
    with build_loader(config) as loader:
        batches = list(loader)
        assert len(batches) == len(loader) == 4
    sizes = [len(images) for images, _ in batches]
    assert sizes == [4, 4, 4, 2]
    for (images, labels), n in zip(batches, sizes, strict=True):
        assert (images.dtype, images.shape) == (torch.float32, (n, 3, 320, 480))
        assert (labels.dtype, labels.shape) == (torch.int64, (n, 320, 480))
        assert images.is_contiguous()
        assert labels.is_contiguous()
        assert ((labels <= 20) | (labels == 255)).all()
        assert images.device == labels.device == torch.device("cpu")


@pytest.mark.parametrize(
    ("policy", "sizes"), [("partial", [4, 4, 4, 2]), ("drop", [4, 4, 4]), ("pad", [4, 4, 4, 4])]
)
def test_last_batch(make_config: MakeConfig, policy: str, sizes: list[int]) -> None:
    with build_loader(make_config(augment=SMALL, loader={"last_batch": policy})) as loader:
        assert [len(images) for images, _ in loader] == sizes
        assert len(loader) == len(sizes)


@pytest.mark.parametrize(
    ("keys", "training", "sizes"),
    [
        ({"last_batch": "drop"}, False, [4, 4, 4, 2]),
        ({"last_batch": "pad"}, False, [4, 4, 4, 2]),
        ({"validation_last_batch": "drop"}, False, [4, 4, 4]),
        ({"validation_last_batch": "pad"}, False, [4, 4, 4, 4]),
        ({"validation_batch_size": 5}, False, [5, 5, 4]),
        ({"validation_batch_size": 5, "validation_last_batch": "pad"}, False, [5, 5, 5]),
        ({"validation_batch_size": 5, "validation_last_batch": "pad"}, True, [4, 4, 4, 2]),
    ],
)
def test_validation_has_batches_of_its_own(
    make_config: MakeConfig, keys: dict[str, Any], *, training: bool, sizes: list[int]
) -> None:
    config = make_config(augment=SMALL, loader=keys)
    with build_loader(config, training=training) as loader:
        assert [len(images) for images, _ in loader] == sizes
        assert len(loader) == len(sizes)
        assert loader.batch_size == sizes[0]
        other = copy.copy(loader)
    with other:
        assert [len(images) for images, _ in other] == sizes


def test_a_resumed_validation_may_have_other_batches_than_the_training(
    make_config: MakeConfig,
) -> None:
    loader = {"validation_batch_size": 3, "last_batch": "drop"}
    config = make_config(augment=SMALL, loader=loader)
    assert_resumes_exactly(lambda: build_loader(config, split="val"))
    with (
        build_loader(config, split="val") as one,
        build_loader(make_config(augment=SMALL, loader={"batch_size": 3}), split="val") as same,
    ):
        same.load_state_dict(one.state_dict())
        for batch, other in zip(one, same, strict=True):
            assert all(torch.equal(a, b) for a, b in zip(batch, other, strict=True))


def test_epochs_differ_and_repeat_with_the_seed(make_config: MakeConfig) -> None:
    config = make_config(augment=SMALL)
    with build_loader(config) as loader:
        first, second = epoch_of(loader), epoch_of(loader)
    assert not same(first, second)
    with build_loader(config) as loader:
        assert same(epoch_of(loader), first)
        assert same(epoch_of(loader), second)


@pytest.mark.parametrize("stop", [0, 1, 3])
def test_break_begins_the_next_epoch(make_config: MakeConfig, stop: int) -> None:
    config = make_config(augment=SMALL)
    with build_loader(config) as loader:
        epochs = [epoch_of(loader) for _ in range(3)]
    with build_loader(config) as loader:
        for i, (images, _) in enumerate(loader):
            assert torch.equal(images, epochs[0][i])
            if i == stop:
                break
        assert len(loader) == 4
        assert same(epoch_of(loader), epochs[1])
        next(iter(loader))
        assert len(loader) == 4
    with build_loader(config) as loader:
        first, _ = next(iter(loader))
        assert torch.equal(first, epochs[0][0])
        second, _ = next(iter(loader))
        assert torch.equal(second, epochs[1][0])
        assert same(epoch_of(loader), epochs[2])


def test_two_loaders_in_turn(make_config: MakeConfig) -> None:
    config = make_config(augment=SMALL)
    with build_loader(config) as train, build_loader(config, split="val") as val:
        alone = epoch_of(train), epoch_of(val)
    with build_loader(config) as train, build_loader(config, split="val") as val:
        found: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        iterators = iter(train), iter(val)
        for _ in range(4):
            for k in 0, 1:
                batch = next(iterators[k], None)
                if batch:
                    found[k].append(batch[0])
        assert same(found[0], alone[0])
        assert same(found[1], alone[1])


def test_validation_in_mid_training(make_config: MakeConfig) -> None:
    config = make_config(augment=SMALL)
    with build_loader(config) as train:
        expected = epoch_of(train)
    with build_loader(config) as train, build_loader(config, split="val") as val:
        found = []
        for images, _ in train:
            found.append(images)
            assert len(list(val)) == len(val) == 2
        assert same(found, expected)


def test_batches_stay_valid_while_held(make_config: MakeConfig) -> None:
    config = make_config(augment=SMALL)
    with build_loader(config) as loader:
        copies = [(images.clone(), labels.clone()) for images, labels in loader]
    with build_loader(config) as loader:
        held = list(loader)
        for _ in range(2):
            for images, labels in loader:
                images.mul_(0)  # a batch is the consumer's own
                labels.zero_()
    del loader
    gc.collect()
    for (images, labels), (images2, labels2) in zip(held, copies, strict=True):
        assert torch.equal(images, images2)
        assert torch.equal(labels, labels2)


def test_an_older_iterator_ends_with_words(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment=SMALL)) as loader:
        old = iter(loader)
        next(old)
        new = iter(loader)
        with pytest.raises(LoaderError, match="a newer 'for', batch_at or load_state_dict"):
            next(old)
        next(new)
    with pytest.raises(LoaderError, match="closed"):
        next(new)
    with pytest.raises(LoaderError, match="closed"):
        iter(loader)


def test_an_exhausted_iterator_stays_exhausted(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment=SMALL)) as loader:
        iterator = iter(loader)
        assert len(list(iterator)) == 4
        assert list(iterator) == []


def test_small_pictures_can_be_dropped(make_config: MakeConfig) -> None:
    config = make_config(augment={"small": "drop"}, loader={"batch_size": 1})
    with build_loader(config) as loader:
        assert len(loader) == 8  # of seven sizes, four hold a 320x480 crop
        for _, labels in loader:
            assert labels.shape == (1, 320, 480)
    with pytest.raises(DatasetError, match="none of the 14 pairs is as large as the crop"):
        build_loader(make_config(augment={"small": "drop", "crop_size": [600, 600]}))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"no picture", "not of a known format, or its header is damaged"),
        (b"", "not of a known format, or its header is damaged"),
        (None, "No such file or directory"),
    ],
)
def test_sizes_that_cannot_be_read(
    voc: Path, tmp_path: Path, make_config: MakeConfig, file: bytes | None, reason: str
) -> None:
    root = Path(shutil.copytree(voc, tmp_path / "voc"))
    path = root / "SegmentationClass/made_000001.png"
    config = make_config(root, augment={"small": "drop"})
    index = find_index(config.dataset, "train")
    if file is None:
        path.unlink()
    else:
        path.write_bytes(file)
    with pytest.raises(SampleError) as caught:
        find_large(index, (320, 480))
    assert str(caught.value) == f"{path}: cannot be read as a PNG label ({reason})"


def test_weights_are_of_training(make_config: MakeConfig) -> None:
    index = find_index(make_config().dataset, "train")
    with pytest.raises(ConfigError, match="weights: validation shows each sample once"):
        Loader(make_config(), index, training=False, weights=np.ones(14))


def test_no_name_of_a_split(make_config: MakeConfig) -> None:
    with pytest.raises(DatasetError, match=r"split: found 'tr\\x00ain', expected the name of one"):
        build_loader(make_config(), split="tr\0ain")


def test_no_full_batch_is_an_error(make_config: MakeConfig) -> None:
    with pytest.raises(DatasetError, match="give no full batch of 15"):
        build_loader(make_config(loader={"batch_size": 15, "last_batch": "drop"}))


def test_cuda_without_a_gpu(make_config: MakeConfig) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(LoaderError, match="finds no CUDA GPU"):
        build_loader(make_config(loader={"device": "cuda"}))
    with build_loader(make_config(loader={"device": "auto"})) as loader:
        assert loader.device == torch.device("cpu")


def test_streams_have_fixed_numbers() -> None:
    numbers = {stream.name: int(stream) for stream in Stream}
    assert numbers == {
        **{"SHUFFLE": 0, "CROP": 1, "FLIP": 2, "DRAW": 3, "REPLACE": 4},
        **{"SCALE": 5, "CLASS_CROP": 6, "VERTICAL_FLIP": 7, "COLOR": 8},
        **{"ROTATE": 9, "BLUR": 10, "NOISE": 11, "JPEG": 12, "ERASE": 13, "MIX": 14},
        **{"NOISE_TILE": 15, "USER": 16, "TRANSPOSE": 17},
    }


def test_an_iterator_that_gave_nothing_was_no_epoch(make_config: MakeConfig) -> None:
    """Lightning makes such; and `iter` alone reads nothing."""
    config = make_config(augment=SMALL)
    with build_loader(config) as loader:
        expected = epoch_of(loader)
    with build_loader(config) as loader:
        for _ in range(3):
            iter(loader)
        assert loader.state_dict()["epoch"] == 0
        assert same(epoch_of(loader), expected)


def test_set_epoch(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment=SMALL)) as loader:
        epochs = [[images.clone() for images, _ in loader] for _ in range(4)]

        def begins(epoch: int, step: int = 0) -> bool:
            return torch.equal(next(iter(loader))[0], epochs[epoch][step])

        loader.set_epoch(2)
        assert begins(2)
        assert begins(3)
        loader.set_epoch(1)
        running = iter(loader)
        assert torch.equal(next(running)[0], epochs[1][0])
        loader.set_epoch(2)  # as it would be anyhow: what runs goes on
        assert torch.equal(next(running)[0], epochs[1][1])
        state = loader.state_dict()
        loader.set_epoch(0)
        assert loader.state_dict() == state
        assert torch.equal(next(running)[0], epochs[1][2])
        assert begins(0)
        loader.load_state_dict(state)
        loader.set_epoch(1)
        assert begins(1, step=2)
        assert begins(2)
        with pytest.raises(LoaderError, match="epoch -1: expected 0 or more"):
            loader.set_epoch(-1)


def test_in_hand_says_what_a_batch_is_made_of(make_config) -> None:
    with build_loader(make_config(augment={"crop_size": [64, 96]})) as loader:
        with pytest.raises(LoaderError, match="no batch has been taken yet"):
            _ = loader.in_hand
        for epoch in range(2):
            seen: list[int] = []
            for step, (images, _) in enumerate(loader):
                assert (loader.in_hand.key.epoch, loader.in_hand.key.step) == (epoch, step)
                assert len(loader.in_hand.samples) == len(images)
                seen += loader.in_hand.samples.tolist()
            assert sorted(seen) == [*range(len(loader.index))]
            assert seen == loader.plan._order(epoch).tolist()


def test_repr(make_config: MakeConfig) -> None:
    loader = build_loader(make_config(loader={"batch_size": 4, "rank": 1, "world_size": 2}))
    n = len(loader.index)
    begin = f"<Loader: voc2012, training, {n} pairs, {len(loader)} batches of 4, 320x480, cpu, "
    assert repr(loader) == f"{begin}rank 1 of 2, next epoch 0>"
    next(iter(loader))
    assert "next epoch 1" in repr(loader)
    loader.close()
    assert repr(loader).endswith("rank 1 of 2, closed>")
    assert f"{n} paths, '{loader.index.images[0]}' first" in repr(loader.index)
    with build_loader(make_config(augment={"validation": "full"}), split="val") as whole:
        assert "validation" in repr(whole)
        assert "whole pictures" in repr(whole)


def test_numbers_of_numpy(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment=SMALL)) as loader:
        expected = [images.clone() for images, _ in loader]
        for epoch in np.arange(2)[::-1]:
            loader.set_epoch(epoch)
            assert json.loads(json.dumps(loader.state_dict()))["epoch"] == epoch
            found = [images.clone() for images, _ in loader]
        assert all(map(torch.equal, found, expected))
        _, (images, _) = loader.batch_at(epoch=np.int32(0), step=np.uint8(1))
        assert torch.equal(images, expected[1])
        with pytest.raises(TypeError):
            loader.set_epoch(1.5)


def test_a_batch_at_that_fails_leaves_the_position(make_config, monkeypatch) -> None:
    """Interrupted, or for a bad file: the `for` that was running goes on."""
    with build_loader(make_config(augment=SMALL)) as loader:
        expected = [image for _ in range(2) for image in epoch_of(loader)]
    with build_loader(make_config(augment=SMALL)) as loader:
        batches = iter(loader)
        found = [next(batches)[0].clone()]
        state = loader.state_dict()
        for error in KeyboardInterrupt(), SampleError("a.png", "bad"):
            with monkeypatch.context() as patched:
                patched.setattr(loader._fetcher, "fetch", Mock(side_effect=error))
                with pytest.raises(type(error)):
                    loader.batch_at(epoch=3, step=2)
            assert loader.state_dict() == state
        found += [images.clone() for images, _ in batches]
        found += epoch_of(loader)
        assert len(found) == len(expected)
        assert all(map(torch.equal, found, expected))


def test_batch_at_is_the_batch_of_an_epoch(make_config) -> None:
    config = make_config(augment={"crop_size": [64, 96], "cutmix": 0.5})
    with build_loader(config) as loader:
        epochs = [[(i.clone(), t.clone()) for i, t in loader] for _ in range(4)]
    with build_loader(config) as loader:
        for epoch, step in (2, 1), (0, 3), (1, 0), (2, 2):
            batch, (images, labels) = loader.batch_at(epoch=epoch, step=step)
            assert torch.equal(images, epochs[epoch][step][0])
            assert torch.equal(labels, epochs[epoch][step][1])
            assert len(batch.samples) == len(images)
        images, _ = next(iter(loader))
        assert torch.equal(images, epochs[3][0][0])
        for step in -1, 4:
            with pytest.raises(LoaderError, match=f"batch {step}: expected 0 to 3"):
                loader.batch_at(epoch=0, step=step)
        with pytest.raises(LoaderError, match="epoch -1: expected 0 or more"):
            loader.batch_at(epoch=-1, step=0)


def test_splits_of_other_names_are_validation_and_say_so(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, voc: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(voc, tmp_path / "voc"))
    lists = root / "ImageSets/Segmentation"
    for name in "labeled", "validation", "test", "Train2":
        shutil.copy(lists / "train.txt", lists / f"{name}.txt")
    config = make_config(root, augment=SMALL)
    for split in "labeled", "validation", "test", "Train2":
        caplog.clear()
        with build_loader(config, split=split) as loader:
            assert loader.plan.training == (split == "Train2")
        assert ("shown as validation" in caplog.text) == (split == "labeled")
    caplog.clear()
    with build_loader(config, split="labeled", training=True):
        pass
    assert not caplog.text
    with pytest.raises(ConfigError, match="expected training=True with them"):
        build_loader(config, split="labeled", weights=np.ones(14))


def test_lists_that_do_not_fit_each_other(make_config: MakeConfig) -> None:
    config = make_config()
    index = find_index(config.dataset, "train")
    n = len(index)
    for wrong in (
        {"labels": index.labels.select(range(n - 1))},
        {"source": np.zeros(n - 1, np.int32)},
        {"source": np.full(n, 1, np.int32)},
        {"source": np.zeros(n)},
        {"weights": np.ones(n - 1)},
        {"sizes": np.ones((n, 3), np.int64)},
    ):
        with pytest.raises(ValueError, match="found"):
            dataclasses.replace(index, **wrong)  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="no pairs"):
        Loader(config, index.select([]), training=True)


@pytest.mark.parametrize("ignore", [1, 8, 20])
def test_an_ignored_class_is_refused(make_config: MakeConfig, ignore: int) -> None:
    with pytest.raises(ConfigError, match=f"found {ignore}, which is one of 21 classes"):
        build_loader(make_config(labels={"ignore_index": ignore}))


def test_batches_and_plans_can_be_compared(make_config: MakeConfig) -> None:
    with build_loader(make_config(augment=SMALL), weights=np.ones(14)) as loader:
        first, _ = loader.batch_at(epoch=0, step=0)
        again, _ = loader.batch_at(epoch=0, step=0)
        assert first != again
        assert first in [again, first]
        assert len({first, again, loader.plan}) == 3
