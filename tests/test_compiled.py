"""Loops over a loader in functions that `torch.compile` compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dali_voc import Config, Loader, build_loader

MakeConfig = Callable[..., Config]


def whole_loop(loader: Loader) -> torch.Tensor:
    total = torch.zeros((), dtype=torch.float64)
    for images, labels in loader:
        total = total + images.double().sum() * 3 + labels.sum()
    return total


def one_batch(loader: Loader) -> torch.Tensor:
    images, labels = next(iter(loader))
    return images.double().sum() * 3 + labels.sum()


@pytest.mark.parametrize("function", [whole_loop, one_batch])
def test_the_loader_is_not_traced(
    make_config: MakeConfig,
    recwarn: pytest.WarningsRecorder,
    function: Callable[[Loader], torch.Tensor],
) -> None:
    config = make_config(loader={"batch_size": 4})
    with build_loader(config) as loader:
        expected = [function(loader) for _ in range(2)]
    torch.compiler.reset()
    compiled: Any = torch.compile(function, backend="eager")
    recwarn.clear()
    with build_loader(config) as loader:
        found = [compiled(loader) for _ in range(2)]
    assert found == expected
    assert [str(one.message) for one in recwarn if "Dynamo" in str(one.message)] == []
