"""Each augmentation against a slow, obvious version in NumPy and Pillow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmented import N, cut, pair, pair_of_size, place, scaled_size, write_lossless
from nvidia.dali import Pipeline, fn
from PIL import Image
from whole_labels import write_image, write_label

from dali_voc import Config, ConfigError, build_loader, parse_config
from dali_voc.augment import CANDIDATES, NOISE_MARGIN, color_matrices, draw_parameters
from dali_voc.config import AugmentConfig, NormalizeConfig
from dali_voc.pictures import denormalize
from dali_voc.pipeline._placement import Form, place_by_dali, place_fused
from dali_voc.randomness import Stream, uniform
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("augment"))


def scale_pair(
    root: Path, sample: int, factors: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    return pair_of_size(root, sample, scaled_size(pair(root, sample)[1].shape, factors))


def load(config: Config) -> list[tuple[int, np.ndarray, np.ndarray]]:
    """(sample, image as 0..255, label) of an epoch."""
    found = []
    with build_loader(config) as loader:
        order = iter(loader._plan._order(0).tolist())
        for images, labels in loader:
            shown = denormalize(images, config.normalize).astype(float)
            found += [(next(order), *both) for both in zip(shown, labels.numpy(), strict=True)]
    assert len(found) == N
    return found


def parameters(config: Config) -> dict[str, np.ndarray]:
    return draw_parameters(
        config.augment, training=True, seed=config.loader.seed, epoch=0, samples=np.arange(N)
    )


@pytest.mark.parametrize(
    "augment",
    [
        {"scale": [0.5, 2.0]},
        {"scale": [0.3, 0.6], "scale_distribution": "log_uniform"},
        {"scale": [1.5, 4.0], "aspect": 1.5},
        {"scale": [1.0, 1.0]},
    ],
)
def test_scale(root: Path, make_config: MakeConfig, augment: dict[str, Any]) -> None:
    crop = (160, 200)
    config = make_config(
        root, augment={"crop_size": list(crop), **augment}, loader={"batch_size": 5, "seed": 2}
    )
    drawn = parameters(config)
    fill = np.array(config.normalize.mean) * 255
    for sample, image, label in load(config):
        resized, classes = scale_pair(root, sample, drawn["scale"][sample])
        start = tuple(
            place(s, c, u)
            for s, c, u in zip(classes.shape, crop, drawn["position"][sample], strict=True)
        )
        flip = slice(None, None, -1 if drawn["flip"][sample] else 1)
        assert np.array_equal(label, cut(classes, start, crop, 255)[:, flip])
        difference = np.abs(image - cut(resized, start, crop, fill)[:, flip])
        # Pillow rounds after each of its two passes, DALI once. DALI's triangle is a table, so that
        # where a pixel lies on its very corner the two weigh it differently: a handful of pixels
        assert (difference.max(axis=-1) > 2).mean() < 1e-3
        assert difference.max() <= 8
        assert difference.mean() < 0.35


def test_scales_are_spread_as_asked() -> None:
    samples = np.arange(20000)

    def scales(**augment: Any) -> np.ndarray:
        config = AugmentConfig(**{"scale": (0.5, 2.0), **augment})
        drawn = draw_parameters(config, training=True, seed=0, epoch=0, samples=samples)
        return drawn["scale"].astype(float)

    uniform_ = scales()
    assert np.array_equal(uniform_[:, 0], uniform_[:, 1])
    assert abs(np.histogram(uniform_[:, 0], 10, (0.5, 2))[0] - 2000).max() < 5 * np.sqrt(2000)
    log = np.log2(scales(scale_distribution="log_uniform")[:, 0])
    assert abs(np.histogram(log, 10, (-1, 1))[0] - 2000).max() < 5 * np.sqrt(2000)
    alone = scales(scale=None, aspect=1.5)
    np.testing.assert_allclose(alone.prod(axis=1), 1, rtol=1e-6)
    ratio = scales(aspect=1.5)[:, 1] / scales(aspect=1.5)[:, 0]
    np.testing.assert_allclose(alone[:, 1] / alone[:, 0], ratio, rtol=1e-6)
    in_log = np.log(ratio) / np.log(1.5)
    assert abs(np.histogram(in_log, 10, (-1, 1))[0] - 2000).max() < 5 * np.sqrt(2000)


def is_mixed(label: np.ndarray, ratio: float) -> bool:
    kept = label[label != 255]
    if not kept.size:
        return False
    counts = [int((kept == c).sum()) for c in range(21)]
    return max(counts) <= ratio * len(kept)


@pytest.mark.parametrize("scale", [None, [0.5, 2.0]])
@pytest.mark.parametrize("ratio", [0.6, 0.85])
def test_category_max_ratio(
    root: Path, make_config: MakeConfig, ratio: float, scale: list[float] | None
) -> None:
    crop = (120, 150)
    config = make_config(
        root,
        augment={"crop_size": list(crop), "category_max_ratio": ratio, "scale": scale},
        loader={"batch_size": 7, "seed": 3},
    )
    drawn = parameters(config)
    assert drawn["position"].shape == (N, 2 * CANDIDATES)
    chosen = []
    for sample, _, label in load(config):
        factors = drawn["scale"][sample] if scale else (1.0, 1.0)
        _, classes = scale_pair(root, sample, factors)
        for k in range(CANDIDATES):
            u = drawn["position"][sample, 2 * k : 2 * k + 2]
            start = tuple(place(s, c, v) for s, c, v in zip(classes.shape, crop, u, strict=True))
            window = cut(classes, start, crop, 255)
            if is_mixed(classes[start[0] :, start[1] :][: crop[0], : crop[1]], ratio):
                break
        chosen.append(k)
        assert np.array_equal(label, window[:, ::-1] if drawn["flip"][sample] else window)
    assert len(set(chosen)) > 2


@pytest.mark.parametrize("where", ["center", "anywhere"])
@pytest.mark.parametrize("weights", [None, [0.0] + [float(i) for i in range(1, 21)]])
@pytest.mark.parametrize("scale", [None, [0.6, 1.7]])
def test_class_crop(
    root: Path,
    make_config: MakeConfig,
    weights: list[float] | None,
    scale: list[float] | None,
    where: str,
) -> None:
    crop = (101, 120)
    augment = {"crop_size": list(crop), "class_crop": 0.7, "class_weights": weights, "scale": scale}
    augment["class_crop_place"] = where
    config = make_config(root, augment=augment, loader={"batch_size": 6, "seed": 4})
    drawn = parameters(config)
    hits = 0
    for sample, _, label in load(config):
        factors = drawn["scale"][sample] if scale else (1.0, 1.0)
        _, source = pair(root, sample)
        _, classes = scale_pair(root, sample, factors)
        whether, class_number, pixel_number, *rest = (float(v) for v in drawn["class_draw"][sample])
        assert len(rest) == (2 if where == "anywhere" else 0)
        start = [
            place(s, c, u)
            for s, c, u in zip(classes.shape, crop, drawn["position"][sample], strict=True)
        ]
        if whether < np.float32(0.7):
            hits += 1
            present = [c for c in range(21) if (source == c).any() and (weights or [1] * 21)[c] > 0]
            shares = np.cumsum([(weights or [1.0] * 21)[c] for c in present])
            index = int(np.searchsorted(shares, class_number * shares[-1], side="right"))
            members = np.argwhere(source == present[index])
            pixel = members[int(pixel_number * len(members))]
            for axis in 0, 1:
                scaled = int((pixel[axis] + 0.5) * classes.shape[axis] / source.shape[axis])
                last = max(classes.shape[axis] - crop[axis], 0)
                start[axis] = min(max(scaled - crop[axis] // 2, 0), last)
                if rest:
                    starts = [s for s in range(last + 1) if s <= scaled < s + crop[axis]]
                    start[axis] = starts[int(rest[axis] * len(starts))]
        window = cut(classes, (start[0], start[1]), crop, 255)
        assert np.array_equal(label, window[:, ::-1] if drawn["flip"][sample] else window)
    assert 0.4 * N < hits < N


def test_where_the_pixel_of_a_class_lies(tmp_path: Path, make_config: MakeConfig) -> None:
    """One pixel, far from the edges: in the middle of the crop, or anywhere in it, all alike."""
    labels = np.zeros((100, 120))
    labels[50, 60] = 1
    for name in (f"{i:03}" for i in range(300)):
        write_label(tmp_path / f"m/{name}.png", labels)
        (tmp_path / "i").mkdir(exist_ok=True)
        Image.new("RGB", (120, 100)).save(tmp_path / f"i/{name}.png")
    tree = {"name": "folder", "images": "i/*.png", "masks": "m/*.png", "classes": ["a", "b"]}
    found = {}
    for where in "center", "anywhere":
        augment = {"crop_size": [20, 20], "flip": 0, "class_crop": 1, "class_weights": [0, 1]}
        augment["class_crop_place"] = where
        with build_loader(make_config(tmp_path, dataset=tree, augment=augment)) as loader:
            shown = torch.cat([batch for _, batch in loader]) == 1
        assert (shown.sum(dim=(1, 2)) == 1).all()
        found[where] = shown.nonzero()[:, 1:]
    assert (found["center"] == 10).all()
    assert {int(v) for v in found["anywhere"].ravel()} == {*range(20)}
    # the mean of 300 numbers that are uniform in 0..19
    middle = found["anywhere"].double().mean(dim=0)
    assert ((middle - 9.5).abs() < 5 * np.sqrt((20**2 - 1) / 12 / 300)).all()


def test_class_crop_leaves_out_what_is_ignored(tmp_path: Path) -> None:
    """Where `ignore_index` is the number of a class, too."""
    label = np.zeros((200, 300), np.uint8)
    label[150:170, 250:270] = 2
    write_image(tmp_path / "i/a.png", label.shape)
    write_label(tmp_path / "l/a.png", label)
    dataset = {"name": "folder", "root": str(tmp_path), "images": "i/*.png", "masks": "l/*.png"}
    tree = {
        "dataset": {**dataset, "classes": ["void", "road", "car"]},
        "augment": {"crop_size": [24, 24], "class_crop": 1.0},
        "labels": {"ignore_index": 0},
        "loader": {"batch_size": 1, "device": "cpu", "threads": 1},
    }
    with build_loader(parse_config(tree)) as loader:
        for _ in range(30):
            for _, labels in loader:
                assert (labels == 2).any()


def test_flips(root: Path, make_config: MakeConfig) -> None:
    crop = (330, 400)  # some pictures are smaller
    plain = {"crop_size": list(crop), "flip": 0.0}
    expected = {k: rest for k, *rest in load(make_config(root, augment=plain))}
    both = {**plain, "flip": 0.5, "vertical_flip": 0.5}
    config = make_config(root, augment=both)
    drawn = parameters(config)
    kinds = set()
    for sample, image, label in load(config):
        across, down = bool(drawn["flip"][sample]), bool(drawn["vertical_flip"][sample])
        kinds.add((across, down))
        view = (slice(None, None, -1 if down else 1), slice(None, None, -1 if across else 1))
        assert np.array_equal(label, expected[sample][1][view])
        assert np.array_equal(image, expected[sample][0][view])
    assert len(kinds) == 4


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"dtype": "uint8"},
        {"dtype": "bfloat16", "channels_last": True},
        {"dtype": "float16"},
    ],
)
@pytest.mark.parametrize("more", [{}, {"rotate": 30, "blur": 0.5, "erase": 0.5}])
def test_rows_and_columns_change_places(
    root: Path, make_config: MakeConfig, form: dict[str, Any], more: dict[str, Any]
) -> None:
    """Of whole crops, after all else."""
    plain = {"crop_size": [211, 211], "flip": 0.5, "vertical_flip": 0.5, **more}
    given = {"normalize": form, "loader": {"batch_size": 6, "seed": 4}}
    config = make_config(root, augment={**plain, "transpose": 0.6}, **given)
    turned = parameters(config)["transpose"]
    assert 0 < turned.sum() < N
    with (
        build_loader(config) as loader,
        build_loader(make_config(root, augment=plain, **given)) as other,
    ):
        for (images, labels), (before, was) in zip(loader, other, strict=True):
            assert images.is_contiguous(
                memory_format=torch.channels_last
                if form.get("channels_last")
                else torch.contiguous_format
            )
            assert images.dtype == before.dtype
            for i, sample in enumerate(loader.in_hand.samples):
                if turned[sample]:
                    before[i], was[i] = before[i].mT.clone(), was[i].mT.clone()
            assert torch.equal(images, before)
            assert torch.equal(labels, was)


def test_only_squares_are_transposed() -> None:
    tree = {"dataset": {"root": "/x"}, "augment": {"crop_size": [20, 30], "transpose": 0.5}}
    with pytest.raises(ConfigError, match="transpose needs a crop_size of as many rows as columns"):
        parse_config(tree)


def recolor(rgb: np.ndarray, u: np.ndarray, augment: AugmentConfig) -> np.ndarray:
    """Step by step: shift, contrast, then saturation and hue of luma and chroma; clamp."""
    happens = [u[2 * k] < augment.photometric_probability for k in range(4)]
    spread = [2 * float(u[2 * k + 1]) - 1 for k in range(4)]
    out = rgb.astype(float)
    if happens[0]:
        out = out + augment.brightness * spread[0]
    if happens[1]:
        out = out * (1 + augment.contrast * spread[1])
    r, g, b = out[..., 0], out[..., 1], out[..., 2]
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    i = 0.596 * r - 0.274 * g - 0.322 * b
    q = 0.211 * r - 0.523 * g + 0.312 * b
    factor = 1 + augment.saturation * spread[2] if happens[2] else 1.0
    factor = 0.0 if u[8] < augment.gray else factor
    angle = np.deg2rad(augment.hue * spread[3]) if happens[3] else 0.0
    chroma = (i + 1j * q) * factor * np.exp(1j * angle)
    back = np.linalg.inv([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
    return np.clip(np.stack([luma, chroma.real, chroma.imag], axis=-1) @ back.T, 0, 255)


COLOR = {"brightness": 32.0, "contrast": 0.5, "saturation": 0.5, "hue": 36.0, "gray": 0.2}


def test_color(root: Path, make_config: MakeConfig) -> None:
    crop = (200, 220)
    plain = {"crop_size": list(crop), "flip": 0.5}
    expected = {k: rest for k, *rest in load(make_config(root, augment=plain))}
    config = make_config(root, augment={**plain, **COLOR})
    u = uniform(seed=0, epoch=0, samples=np.arange(N), stream=Stream.COLOR, num=9)
    changed = 0
    for sample, image, label in load(config):
        before, classes = expected[sample]
        assert np.array_equal(label, classes)
        wanted = recolor(before, u[sample], config.augment)
        padding = (before == np.round(np.array(config.normalize.mean) * 255)).all(-1)
        wanted[padding] = before[padding]
        # half a level from rounding the shown picture
        assert np.abs(image - wanted).max() <= 0.51
        changed += np.abs(image - before).max() > 3
    assert N / 2 < changed <= N


@pytest.mark.parametrize("gray", [0.0, 1.0])
def test_gray_stays_gray_and_all_becomes_gray(gray: float) -> None:
    u = np.random.default_rng(0).random((500, 9), np.float32)
    matrices = color_matrices(u, AugmentConfig(**{**COLOR, "gray": gray}))
    colors = np.arange(256.0)[:, None] * np.ones(3)
    if gray == 1:
        colors = np.random.default_rng(1).integers(0, 256, (256, 3)).astype(np.float64)
    found = colors @ matrices[:, :, :3].astype(np.float64).transpose(0, 2, 1)
    assert np.ptp(found, axis=2).max() < (1e-9 if gray == 1 else 1e-3)


def test_nothing_asked_is_nothing_done() -> None:
    u = np.random.default_rng(0).random((50, 9), np.float32)
    identity = np.concatenate([np.eye(3), np.zeros((3, 1))], axis=1)
    np.testing.assert_allclose(
        color_matrices(u, AugmentConfig()), np.broadcast_to(identity, (50, 3, 4)), atol=1e-6
    )


ROIS = {
    "roi_start": np.array([[0.0, 0.0], [3.3, 1.2], [2.0, 0.5]], np.float32),
    "roi_end": np.array([[60.0, 70.0], [38.0, 66.6], [50.0, 33.0]], np.float32),
    "size": np.array([[45.0, 70.0], [60.0, 33.0], [20.0, 60.0]], np.float32),
}


@pytest.mark.parametrize("resized", [False, True])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "normalize",
    [{}, {"channels_last": True}, {"dtype": "uint8"}, {"dtype": "float16"}],
)
def test_the_gpus_operators_do_the_same_as_ours(
    *, resized: bool, turned: bool, normalize: dict[str, Any]
) -> None:
    """DALI's operators, which the GPU uses, run on the CPU here."""
    rng = np.random.default_rng(1)
    augment = AugmentConfig(crop_size=(60, 70), vertical_flip=0.5, **COLOR)
    # smooth: noise would show every difference of two filters many times as large
    windows = [
        np.array(Image.fromarray(rng.integers(0, 256, (6, 7, 3), np.uint8)).resize((w, h)))
        for h, w in ((60, 70), (40, 70), (60, 33))
    ]
    angles = np.deg2rad([10, 0, -25])
    rotation = {"rotation": np.stack([np.cos(angles), np.sin(angles)], 1).astype("f4")}
    arrays = {
        "flip": np.array([0, 1, 1], np.int32),
        "vertical_flip": np.array([1, 0, 1], np.int32),
        "color": color_matrices(rng.random((3, 9), np.float32), augment),
        **(rotation if turned else {}),
        **(ROIS if resized else {}),
    }
    form = Form.of(NormalizeConfig(**normalize), on_gpu=True)
    pipeline = Pipeline(batch_size=3, num_threads=2, device_id=None, prefetch_queue_depth=1)
    with pipeline:
        image, *nodes = fn.external_source(
            source=lambda: (windows, *arrays.values()),
            num_outputs=1 + len(arrays),
            layout=["HWC"] + [""] * len(arrays),
        )
        given = dict(zip(arrays, nodes, strict=True))
        roi = tuple(given.pop(name) for name in ROIS) if resized else None
        options = {"crop_size": augment.crop_size, "form": form, "roi": roi, **given}
        pipeline.set_outputs(place_fused(image, **options), place_by_dali(image, **options))
    ours, dalis = pipeline.run()
    unit = 1 if form.dtype == "uint8" else 1 / 255 / 0.229
    for i in range(3):
        assert ours.dtype == dalis.dtype
        assert ours.layout() == dalis.layout()
        difference = np.abs(np.array(ours[i], float) - np.array(dalis[i], float)) / unit
        # DALI's path rounds to whole levels up to three times more in between
        assert difference.max() < 0.6 + resized + turned + (form.dtype == "uint8")
        assert difference.mean() < 0.5


def test_resume_with_everything_on(root: Path, make_config: MakeConfig) -> None:
    augment = {
        "crop_size": [64, 80],
        "scale": [0.5, 2.0],
        "aspect": 1.3,
        "category_max_ratio": 0.75,
        "class_crop": 0.3,
        "vertical_flip": 0.2,
        **COLOR,
    }
    config = make_config(root, augment=augment, loader={"batch_size": 9})
    assert_resumes_exactly(lambda: build_loader(config))


def test_validation_is_untouched(root: Path, make_config: MakeConfig) -> None:
    plain = {"crop_size": [64, 80]}
    rich = {**plain, "scale": [0.5, 2.0], "vertical_flip": 0.5, "class_crop": 0.5, **COLOR}
    with (
        build_loader(make_config(root, augment=plain), split="val") as first,
        build_loader(make_config(root, augment=rich), split="val") as second,
    ):
        for (images, labels), (images2, labels2) in zip(first, second, strict=True):
            assert np.array_equal(images, images2)
            assert np.array_equal(labels, labels2)


def test_class_weights_must_fit(root: Path, make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="found 2 weights, expected one for each of 21 classes"):
        build_loader(make_config(root, augment={"class_weights": [1.0, 2.0]}))


def test_both_ends_of_ranges_are_drawn() -> None:
    augment = AugmentConfig(
        crop_size=(8, 12), jpeg=1.0, jpeg_quality=(30, 32), noise=1.0, erase=1.0
    )
    drawn = draw_parameters(augment, training=True, seed=0, epoch=0, samples=np.arange(30_000))
    values, counts = np.unique(drawn["jpeg"], return_counts=True)
    assert values.tolist() == [30, 31, 32]  # every whole number alike
    assert np.abs(counts - 10_000).max() < 500
    place, ends = drawn["noise_place"], drawn["erase_start"] + drawn["erase_shape"]
    assert (place.min(axis=0) == 0).all()
    assert (place.max(axis=0) == NOISE_MARGIN).all()
    assert (drawn["erase_start"].min(axis=0) == 0).all()
    assert (ends.max(axis=0) == augment.crop_size).all()
