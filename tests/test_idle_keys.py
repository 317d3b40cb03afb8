"""A key of section `augment` acts, or it is said that it does not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dali_voc import Config, ConfigError, build_loader, count_classes, parse_config
from dali_voc.config import AugmentConfig

MakeConfig = Callable[..., Config]
PLAIN = {"crop_size": [64, 64]}

# a value of each key that is not its default, with no other key set
VALUES: dict[str, Any] = {
    "crop_size": [64, 80],
    "flip": 1.0,
    "vertical_flip": 1.0,
    "transpose": 1.0,
    "resize_shorter": 100,
    "resize_longer": 100,
    "resize_to": [100, 100],
    "scale": [0.5, 2.0],
    "scale_distribution": "log_uniform",
    "aspect": 2.0,
    "category_max_ratio": 0.3,
    "class_crop": 1.0,
    "class_crop_place": "anywhere",
    "class_weights": [0] * 20 + [1],
    "rotate": 90,
    "rotate_probability": 1.0,
    "brightness": 32,
    "contrast": 0.5,
    "saturation": 0.5,
    "hue": 36,
    "photometric_probability": 1.0,
    "gray": 1.0,
    "blur": 1.0,
    "blur_sigma": [1.0, 9.0],
    "noise": 1.0,
    "noise_std": [9.0, 9.0],
    "jpeg": 1.0,
    "jpeg_quality": [5, 5],
    "erase": 1.0,
    "erase_area": [0.5, 0.5],
    "erase_aspect": [1.0, 1.0],
    "cutmix": 1.0,
    "classmix": 1.0,
    "copy_paste": 1.0,
    "copy_paste_classes": ["person", "car"],
    "operators": ["inverted_pictures:invert"],
    "view": 1,
    "small": "drop",
    "shorter_side": 50,
    "pad_multiple": 5,
    "stride": [30, 30],
    "validation": "full",
}
INVERT = """
from nvidia.dali import fn, types
def invert(image, label): return fn.cast(255 - image, dtype=types.UINT8), label
"""
OF_VALIDATION = ("shorter_side", "pad_multiple", "stride", "validation")


@pytest.fixture(autouse=True)
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "inverted_pictures.py").write_text(INVERT)
    monkeypatch.syspath_prepend(str(tmp_path))


def epoch(config: Config, split: str) -> list[bytes]:
    with build_loader(config, split=split, training=split == "train") as loader:
        return [np.ascontiguousarray(part).tobytes() for batch in loader for part in batch[:2]]


@pytest.mark.parametrize("key", sorted(VALUES))
def test_a_key_alone_changes_batches_or_it_is_told(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    split = "val" if key in OF_VALIDATION else "train"
    # some of the made-up pictures are smaller than this
    base = {"crop_size": [320, 480]} if key == "small" else PLAIN
    plain = epoch(make_config(augment=base), split)
    assert not caplog.records
    changed = epoch(make_config(augment={**base, key: VALUES[key]}), split) != plain
    told = [f"augment.{key} has no effect" in record.message for record in caplog.records]
    assert told == ([] if changed else [True])


def test_all_keys_are_looked_at() -> None:
    # that one is refused where it does nothing
    assert {*VALUES, "stored_labels"} == set(AugmentConfig.model_fields)
    with pytest.raises(ConfigError, match="stored_labels is for validation: resize and slide"):
        AugmentConfig(validation="resize").model_copy(
            update={"stored_labels": True, "validation": "center"}
        )


@pytest.mark.parametrize(
    ("augment", "training"),
    [
        ({"erase_area": [0.5, 0.5], "erase": 0.5}, True),
        ({"erase_area": [0.02, 0.33]}, True),  # the default, as an example shows it
        ({"photometric_probability": 1.0, "hue": 9.0}, True),
        ({"erase_area": [0.5, 0.5]}, False),  # a training's
        ({"stride": [30, 30]}, True),  # a validation's
        ({"stride": [30, 30], "validation": "slide"}, False),
        ({"cutmix": 0.5}, False),
    ],
)
def test_nothing_is_said_of_what_is_meant(
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
    augment: dict[str, Any],
    *,
    training: bool,
) -> None:
    config = make_config(augment={**PLAIN, **augment}, loader={"batch_size": 1})
    build_loader(config, training=training).close()
    assert not caplog.records


def test_the_same_is_said_of_what_was_written_out(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """As by `dali-voc config`, or `parse_config` of a configuration: all keys are given then."""
    config = make_config(augment={**PLAIN, "erase_area": [0.5, 0.5], "hue": 9.0, "view": 1})
    for one in config, parse_config(config, overrides=["loader.seed=1"]):
        caplog.clear()
        build_loader(one).close()
        (record,) = caplog.records
        assert record.message == "augment.erase_area has no effect, as erase is not set"


def test_balanced_sampling_sets_class_crop(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    count_classes(make_config()).save(tmp_path / "stats.json")
    caplog.set_level(logging.WARNING)
    sampling = {"policy": "balanced", "stats": str(tmp_path / "stats.json")}
    augment = {**PLAIN, "class_crop_place": "anywhere"}
    build_loader(make_config(augment=augment, sampling=sampling)).close()
    assert not caplog.records


@pytest.mark.parametrize("key", ["cutmix", "classmix", "copy_paste"])
def test_there_is_nothing_to_mix_in_a_batch_of_one(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    config = make_config(augment={**PLAIN, key: 0.5}, loader={"batch_size": 1})
    build_loader(config).close()
    (record,) = caplog.records
    assert record.message.startswith("augment: in batches of one there is nothing")
