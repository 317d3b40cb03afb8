"""`augment.view`: the same crops with other colours, blur and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from dali_voc import Config, build_loader
from dali_voc.augment import draw_parameters
from dali_voc.config import AugmentConfig
from dali_voc.randomness import Stream, philox, uniform

MakeConfig = Callable[..., Config]
PLACES = {
    "crop_size": [48, 64],
    "scale": [0.5, 2.0],
    "rotate": 10,
    "vertical_flip": 0.5,
    "class_crop": 0.5,
}
COLORS = {"brightness": 64, "contrast": 0.5, "hue": 36, "gray": 0.2, "blur": 0.9, "noise": 0.9}
MORE = {"jpeg": 0.9, "erase": 0.9}


def test_which_numbers_differ(make_config: MakeConfig) -> None:
    drawn = [
        draw_parameters(
            make_config(augment={**PLACES, **COLORS, **MORE, "view": view}).augment,
            training=True,
            seed=1,
            epoch=2,
            samples=np.arange(200),
        )
        for view in (0, 1, 2)
    ]
    same = {name for name in drawn[0] if np.array_equal(drawn[0][name], drawn[1][name])}
    assert same == {"position", "flip", "vertical_flip", "scale", "class_draw", "rotation"}
    for name in set(drawn[0]) - same:
        assert not np.array_equal(drawn[1][name], drawn[2][name])
    # by chance alone
    brightness = [one["color"][:, 0, 3] for one in drawn]
    assert abs(np.corrcoef(brightness[0], brightness[1])[0, 1]) < 0.25


def test_numbers_of_a_view_are_philox() -> None:
    numbers = uniform(seed=3, epoch=4, samples=np.arange(5), stream=Stream.COLOR, view=7)
    bits = philox(key=(3, (7 << 32) + Stream.COLOR), counter=(np.arange(5), 4, 0, 0))
    assert np.array_equal(numbers, (bits >> np.uint64(40)).astype(np.float32) * 2.0**-24)


@pytest.mark.parametrize("keys", [COLORS, {**COLORS, "jpeg": 0.5}])
def test_views_lie_on_each_other(make_config: MakeConfig, keys: dict[str, Any]) -> None:
    """Two strong views of one crop: labels are the same, pictures are not."""
    made = []
    for view in 0, 1:
        config = make_config(augment={**PLACES, **keys, "view": view})
        with build_loader(config) as loader:
            made.append([(images.clone(), labels.clone()) for images, labels in loader])
    for (first, labels), (second, others) in zip(*made, strict=True):
        assert torch.equal(labels, others)
        assert not torch.equal(first, second)
        # of the same place: much more alike than pictures of different ones
        off = (first - second).abs().mean()
        assert off < (first - second.flip(3)).abs().mean()


def test_operators_of_the_user_get_other_numbers() -> None:
    drawn = [
        draw_parameters(
            AugmentConfig(operators=("own:darken",), view=view),
            training=True,
            seed=1,
            epoch=2,
            samples=np.arange(20),
        )
        for view in (0, 1)
    ]
    assert np.array_equal(drawn[0]["position"], drawn[1]["position"])
    assert not np.array_equal(drawn[0]["user"], drawn[1]["user"])
