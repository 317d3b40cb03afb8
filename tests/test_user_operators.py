"""DALI operators of the user's own, with the examples in examples/operators.py."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from augmented import N, load, make, write_lossless

from dali_voc import ConfigError, LoaderError, build_loader
from dali_voc.randomness import Stream, uniform
from dali_voc.testing import assert_resumes_exactly

EXAMPLES = Path(__file__).parents[1] / "examples"

BAD = """
from nvidia.dali import fn, types

def one(image): return image
def alone(image, label): return image
def smaller(image, label): return fn.crop(image, crop=(10, 10)), label
def failing(image, label):
    return fn.crop(image, crop=(999, 999)), label
value = 3
def floats(image, label): return image * 0.5, label
def wide(image, label): return image, label * 1
def signed(image, label): return fn.cast(image, dtype=types.INT8), label
def truths(image, label): return image > 100, label
def missing_key(image, label): return {}["x"], label
def raising(image, label):
    raise RuntimeError("not today")
def misspelt(image, label): return fn.crop(image, corp=3), label
def branches(image, label, numbers):
    if numbers[0] < 0.5:
        return 255 - image, label
    else:
        return image, label
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_lossless(tmp_path_factory.mktemp("user"))


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bad_operators.py").write_text(BAD)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    monkeypatch.syspath_prepend(str(tmp_path))


def test_they_run_in_order_and_get_the_samples_numbers(root: Path) -> None:
    names = ["operators:buses_are_cars", "operators:solarize"]
    config = make(root, operators=names)
    images, labels = load(config)
    plain_images, plain_labels = load(make(root))
    assert np.array_equal(labels, np.where(plain_labels == 6, 7, plain_labels))
    u = uniform(seed=3, epoch=0, samples=np.arange(N), stream=Stream.USER, num=16)
    solarized = u[:, 8] < 0.1
    assert 0 < solarized.sum() < N
    for image, before, changed in zip(images, plain_images, solarized, strict=True):
        inverted = np.where(before >= 128, 255 - before, before)
        assert np.array_equal(image, inverted if changed else before)


def test_truth_values_are_bytes(root: Path) -> None:
    images, _ = load(make(root, operators=["bad_operators:truths"]))
    plain, _ = load(make(root))
    assert np.array_equal(images, plain > 100)


def test_labels_keep_their_type(root: Path) -> None:
    for dtype in "uint8", "int32", "int64":
        config = make(root, operators=["bad_operators:wide"])
        labels = config.labels.model_copy(update={"dtype": dtype})
        with build_loader(config.model_copy(update={"labels": labels})) as loader:
            assert str(next(iter(loader))[1].dtype) == f"torch.{dtype}"


def test_resume(root: Path) -> None:
    config = make(root, operators=["operators:solarize"])
    assert_resumes_exactly(lambda: build_loader(config))


def test_validation_goes_without(root: Path) -> None:
    with (
        build_loader(make(root, operators=["operators:buses_are_cars"]), split="val") as first,
        build_loader(make(root), split="val") as second,
    ):
        for (images, labels), (images2, labels2) in zip(first, second, strict=True):
            assert np.array_equal(images, images2)
            assert np.array_equal(labels, labels2)


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("nowhere.at_all:f", ConfigError, "nowhere.at_all cannot be imported"),
        (".relative:f", ConfigError, "but .relative cannot be imported"),
        ("bad_operators:missing", ConfigError, "bad_operators has no function missing"),
        ("bad_operators:value", ConfigError, "bad_operators has no function value"),
        ("bad_operators:one", ConfigError, "does not take (image, label) or (image, label, num"),
        ("builtins:max", ConfigError, "does not take (image, label) or (image, label, num"),
        ("bad_operators:alone", ConfigError, "alone returned DataNode, expected (image, label)"),
        ("bad_operators:smaller", LoaderError, "an operator changed the size or the type"),
        ("bad_operators:signed", LoaderError, "expected uint8 [crop height, crop width, 3]"),
        ("bad_operators:floats", LoaderError, "expected uint8 [crop height, crop width, 3]"),
        ("bad_operators:failing", LoaderError, "bad_operators.py, line 8) failed on "),
        (
            "bad_operators:missing_key",
            ConfigError,
            "bad_operators.py, line 14) failed: KeyError: 'x'",
        ),
        ("bad_operators:raising", ConfigError, "line 16) failed: RuntimeError: not today"),
        ("bad_operators:misspelt", ConfigError, 'failed: KeyError: \'Argument "corp" is not def'),
        ("bad_operators:branches", LoaderError, "failed on a batch of which each sample loads by"),
    ],
)
@pytest.mark.parametrize("on_error", ["raise", "skip"])
def test_errors_name_the_operator(
    root: Path, name: str, kind: type[Exception], message: str, on_error: str
) -> None:
    config = make(root, operators=[name])
    loader_config = config.loader.model_copy(update={"on_error": on_error})
    config = config.model_copy(update={"loader": loader_config})
    with pytest.raises(kind) as caught, build_loader(config) as loader:
        next(iter(loader))
    assert message in str(caught.value)
    assert str(caught.value).startswith("augment.operators: ")
    assert "\n" not in str(caught.value)


def test_an_operator_that_a_package_passes_on(root: Path, tmp_path: Path) -> None:
    (tmp_path / "passing_on.py").write_text("from bad_operators import raising\n")
    config = make(root, operators=["passing_on:raising"])
    with (
        build_loader(config) as loader,
        pytest.raises(ConfigError, match=r"raising \(.*bad_operators\.py, line 16\) failed: Runti"),
    ):
        next(iter(loader))


def test_what_cannot_be_found_is_said_before_the_first_batch(root: Path) -> None:
    config = make(root, operators=["operators:solarize", "bad_operators:missing"])
    with pytest.raises(ConfigError, match="bad_operators has no function missing"):
        build_loader(config)
    build_loader(config, split="val").close()
