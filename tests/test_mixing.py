"""CutMix, ClassMix and copy-paste on pictures whose every pixel says where it is from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import N, load, make, write_lossless
from torch.utils._python_dispatch import TorchDispatchMode

from dali_voc import ConfigError, build_loader
from dali_voc._pasting import paste_by_torch
from dali_voc.config import AugmentConfig
from dali_voc.mixing import Mixer

CLASSES = tuple("abcdefgh")
HEIGHT, WIDTH = 40, 50


def encoded_batch(n: int, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Images hold (sample, row, column); labels are patches of classes, some pixels ignored."""
    rng = np.random.default_rng(7)
    images = torch.empty((n, 3, HEIGHT, WIDTH), dtype=dtype)
    images[:, 0] = torch.arange(n)[:, None, None]
    images[:, 1] = torch.arange(HEIGHT)[None, :, None]
    images[:, 2] = torch.arange(WIDTH)
    patches = rng.integers(0, len(CLASSES), (n, 4, 5))
    labels = torch.from_numpy(np.kron(patches, np.ones((1, 10, 10), int)))
    labels[:, ::7, ::3] = 255
    return images, labels


def mixer(**augment: Any) -> Mixer:
    made = Mixer.from_config(AugmentConfig(**augment), CLASSES, ignore_index=255)
    assert made is not None
    return made


def numbers(made: Mixer, n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((n, made.numbers), np.float32)


def mixed(made: Mixer, n: int, u: np.ndarray, **kinds: Any) -> tuple[np.ndarray, ...]:
    """Where each pixel is from, and that image and label agree on it."""
    images, labels = encoded_batch(n, **kinds)
    before = labels.numpy().copy()
    made.mix(images, labels, u)
    sample, row, column = (images[:, k].float().numpy().astype(int) for k in range(3))
    assert (row == np.arange(HEIGHT)[:, None]).all()
    assert (column == np.arange(WIDTH)).all()
    assert np.array_equal(labels.numpy(), before[sample, row, column])
    return sample, before


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.uint8])
@pytest.mark.parametrize("n", [2, 3, 9])
def test_cutmix(n: int, dtype: torch.dtype) -> None:
    made = mixer(cutmix=0.7)
    u = numbers(made, n)
    sample, _ = mixed(made, n, u, dtype=dtype)
    for i in range(n):
        partner = (i + 1 + int(float(u[i, 1]) * (n - 1))) % n
        assert partner != i
        expected = np.full((HEIGHT, WIDTH), i)
        if u[i, 0] < 0.7:
            height, width = (round(side * float(u[i, 2]) ** 0.5) for side in (HEIGHT, WIDTH))
            top = int(float(u[i, 3]) * HEIGHT) - height // 2
            left = int(float(u[i, 4]) * WIDTH) - width // 2
            for y in range(max(top, 0), min(top + height, HEIGHT)):
                for x in range(max(left, 0), min(left + width, WIDTH)):
                    expected[y, x] = partner
        assert np.array_equal(sample[i], expected)


def test_classmix() -> None:
    made = mixer(classmix=0.7)
    u = numbers(made, 12, seed=1)
    sample, before = mixed(made, 12, u)
    pasted_any = 0
    for i in range(12):
        partner = (i + 1 + int(float(u[i, 1]) * 11)) % 12
        present = sorted(set(before[partner].flat) - {255})
        order = sorted(present, key=lambda c: u[i, 5 + c])
        chosen = order[: -(-len(present) // 2)] if u[i, 0] < 0.7 else []
        pasted_any += bool(chosen)
        for y in range(HEIGHT):
            for x in range(WIDTH):
                assert sample[i, y, x] == (partner if before[partner, y, x] in chosen else i)
    assert 0 < pasted_any < 12


@pytest.mark.parametrize("names", [None, ["c", "f"]])
def test_copy_paste(names: list[str] | None) -> None:
    made = mixer(copy_paste=0.7, copy_paste_classes=names and tuple(names))
    allowed = {2, 5} if names else set(range(1, 8))
    u = numbers(made, 12, seed=2)
    sample, before = mixed(made, 12, u)
    for i in range(12):
        partner = (i + 1 + int(float(u[i, 1]) * 11)) % 12
        present = sorted((set(before[partner].flat) - {255}) & allowed)
        chosen = [c for c in present if u[i, 5 + c] < 0.5]
        if present and not chosen:
            chosen = [min(present, key=lambda c: u[i, 5 + c])]
        chosen = chosen if u[i, 0] < 0.7 else []
        assert np.array_equal(sample[i] == partner, np.isin(before[partner], chosen))


def test_only_one_of_them_happens() -> None:
    made = mixer(cutmix=0.3, classmix=0.3, copy_paste=0.3)
    u = numbers(made, 12, seed=3)
    together, _ = mixed(made, 12, u)
    for low, high, alone in ((0, 0.3, "cutmix"), (0.3, 0.6, "classmix"), (0.6, 0.9, "copy_paste")):
        single = mixer(**{alone: 1.0})
        expected, _ = mixed(single, 12, u)
        for i in np.flatnonzero((u[:, 0] >= low) & (u[:, 0] < high)):
            assert np.array_equal(together[i], expected[i])
    for i in np.flatnonzero(u[:, 0] >= 0.9):
        assert (together[i] == i).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.uint8])
@pytest.mark.parametrize("index", [torch.int64, torch.int32, torch.uint8])
@pytest.mark.parametrize("ignored", [255, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_by_pytorch_as_by_numpy(
    dtype: torch.dtype,
    index: torch.dtype,
    channels_last: bool,
    ignored: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What happens on a GPU, on tensors of the CPU."""
    shares = AugmentConfig(cutmix=0.3, classmix=0.3, copy_paste=0.3)
    made = Mixer.from_config(shares, CLASSES, ignore_index=ignored)
    assert made is not None
    layout = torch.channels_last if channels_last else torch.contiguous_format
    results = []
    for _ in range(2):
        images, labels = encoded_batch(80)  # more than are pasted at once
        labels[labels == 255] = ignored
        images, labels = images.to(dtype, memory_format=layout), labels.to(index)
        made.mix(images, labels, numbers(made, 80, seed=5))
        assert images.is_contiguous(memory_format=layout)
        results.append((images, labels))
        monkeypatch.setattr("dali_voc.mixing.paste_by_numpy", paste_by_torch)
    for by_numpy, by_pytorch in zip(*results, strict=True):
        assert torch.equal(by_numpy, by_pytorch)
    assert not torch.equal(results[0][0], encoded_batch(80)[0].to(dtype))


def test_labels_that_are_no_class_stay_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even the ignored one: operators of the user's own may make such."""
    made = mixer(classmix=0.5, copy_paste=0.5)
    u = numbers(made, 12, seed=6)
    for _ in range(2):
        images, labels = encoded_batch(12)
        labels[:, 5:9] = 999
        before = labels.clone()
        made.mix(images, labels, u)
        moved = images[:, 0].long() != torch.arange(12)[:, None, None]
        assert moved.any()
        assert (labels[moved] != 999).all()
        assert torch.equal(labels[~moved], before[~moved])
        monkeypatch.setattr("dali_voc.mixing.paste_by_numpy", paste_by_torch)


def test_a_gpu_is_not_waited_for() -> None:
    """Tensors without values: whatever the host would have to look at fails."""
    made = mixer(cutmix=0.3, classmix=0.3, copy_paste=0.3)
    images, labels = (part.to("meta") for part in encoded_batch(20))
    made.mix(images, labels, numbers(made, 20, seed=5))
    with pytest.raises(RuntimeError, match=r"(?i)meta"):
        labels.sum().item()


def test_on_a_gpu_many_samples_share_a_step() -> None:
    """Each costs the host some microseconds."""

    class Counting(TorchDispatchMode):
        steps = 0

        def __torch_dispatch__(self, function, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            self.steps += 1
            return function(*args, **(kwargs or {}))

    made = mixer(cutmix=0.3, classmix=0.3, copy_paste=0.4)
    images, labels = (part.to("meta") for part in encoded_batch(256))
    with Counting() as counting:
        made.mix(images, labels, numbers(made, 256))
    assert 50 < counting.steps < 3 * 256


def test_cutmix_areas_are_uniform() -> None:
    made = mixer(cutmix=1.0)
    u = numbers(made, 500, seed=4)
    u[:, 3:5] = 0.5  # at the centre nothing is cut at the border
    images, labels = encoded_batch(500)
    made.mix(images, labels, u)
    area = (images[:, 0].numpy() != np.arange(500)[:, None, None]).mean(axis=(1, 2))
    np.testing.assert_allclose(area, u[:, 2], atol=0.03)


def test_a_sample_alone_stays_as_it_is() -> None:
    made = mixer(cutmix=1.0)
    sample, _ = mixed(made, 1, numbers(made, 1))
    assert (sample == 0).all()


def test_unknown_class_names_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"copy_paste_classes: found 'z', expected one of: a, b"):
        Mixer.from_config(AugmentConfig(copy_paste_classes=("a", "z")), CLASSES, ignore_index=255)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("mixed"))


def test_through_the_loader(root: Path) -> None:
    """Mixing takes pixels of batch mates and nothing else, and it is reproducible."""
    config = make(root, cutmix=0.5, copy_paste=0.5)
    images, labels = load(config)
    again = load(config)
    assert np.array_equal(images, again[0])
    assert np.array_equal(labels, again[1])
    plain_images, plain_labels = load(make(root))
    with build_loader(config) as loader:
        order = loader._plan._order(0)
    changed = 0
    for begin in range(0, N, 7):
        mates = order[begin : begin + 7]
        for i in mates:
            differs = (images[i] != plain_images[i]).any(-1) | (labels[i] != plain_labels[i])
            explained = np.zeros_like(differs)
            for mate in mates:
                same = (images[i] == plain_images[mate]).all(-1)
                explained |= same & (labels[i] == plain_labels[mate])
            assert explained.all()
            changed += differs.any()
    assert changed > N / 2


def test_validation_is_not_mixed(root: Path) -> None:
    with (
        build_loader(make(root, cutmix=1.0), split="val") as mixing,
        build_loader(make(root), split="val") as plain,
    ):
        for (images, labels), (images2, labels2) in zip(mixing, plain, strict=True):
            assert torch.equal(images, images2)
            assert torch.equal(labels, labels2)


def test_shares_may_sum_up_to_one() -> None:
    """Also where floating point has a little more."""
    for hundredths in range(101):
        for more in range(101 - hundredths):
            rest = (100 - hundredths - more) / 100
            AugmentConfig(cutmix=hundredths / 100, classmix=more / 100, copy_paste=rest)
    with pytest.raises(ValueError, match="sum up to more than 1"):
        AugmentConfig(cutmix=0.5, classmix=0.5, copy_paste=0.001)
