"""How much of a training step is spent waiting for data.

A step with our loader's batches beside a step with one batch that is on the device already; in
turn, round after round, by the same network. The host runs at most two steps ahead of the GPU, as a
training loop does that looks at its loss now and then.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import statistics
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from benchmarks.gpu.contestants import SPLIT
from benchmarks.gpu.rounds import in_a_sentence, synchronize
from benchmarks.gpu.sections._section import Note, demand
from benchmarks.gpu.settings import REPOSITORY, Settings
from dali_voc import build_loader
from dali_voc.config import Config
from dali_voc.datasets.voc import VOC_SPEC

__all__ = ["NETWORKS", "run"]

Batch = tuple[torch.Tensor, torch.Tensor]

NETWORKS = {"fcn": "small", "deeplabv3_resnet50": "torchvision:deeplabv3_resnet50"}
_BATCH_SIZE = 16
_STEPS_AHEAD = 2
_WARM_UP = {"cuda": 5, "cpu": 1}  # steps
# of a measurement at least: 1 % of a step is asked for, which a few steps do not show
_SECONDS = {"cuda": 3.0, "cpu": 0.0}


@dataclass(frozen=True, kw_only=True)
class _Steps:
    seconds: float  # per step
    waited: float  # seconds of the host per step, in `next`


def run(settings: Settings, note: Note) -> dict[str, Any]:
    """Time both networks."""
    found: dict[str, Any] = {}
    for name, network in NETWORKS.items():
        if network.startswith("torchvision") and importlib.util.find_spec("torchvision") is None:
            found[name] = {"left_out": "torchvision is not installed"}
        else:
            try:
                found[name] = _largest_that_fits(network, settings)
            except Exception as e:  # of any library: the other network is timed all the same
                found[name] = {"error": in_a_sentence(e)}
        note(found)
    demand(found)
    return found


def _largest_that_fits(network: str, settings: Settings) -> dict[str, Any]:
    size = min(_BATCH_SIZE, max(settings.batch_sizes))
    while True:
        try:
            return _compare(network, settings.config(batch_size=size), settings)
        except torch.cuda.OutOfMemoryError:
            if size == 1:
                raise
        size //= 2
        torch.cuda.empty_cache()


def _compare(network: str, config: Config, settings: Settings) -> dict[str, Any]:
    device = torch.device(settings.device)
    trainer = _Trainer(network, device)
    with contextlib.closing(_endless(config)) as ours:
        # a batch in hand outlives those that come after it
        kept = next(batch for batch in ours if len(batch[0]) == config.loader.batch_size)
        sources: dict[str, Iterator[Batch]] = {
            "synthetic": itertools.repeat((torch.randn_like(kept[0]), kept[1].clone())),
            "loader": ours,
        }
        measured: dict[str, list[_Steps]] = {name: [] for name in sources}
        for source in sources.values():
            trainer.steps(source, at_least=_WARM_UP[settings.device], seconds=0.0)
        seconds = max(settings.seconds, _SECONDS[settings.device])
        for _ in range(settings.rounds):
            for name, source in sources.items():
                trainer.steps(source, at_least=1, seconds=0.0)
                measured[name].append(trainer.steps(source, at_least=2, seconds=seconds))
    with_loader, without = (
        statistics.median(one.seconds for one in measured[name]) for name in ("loader", "synthetic")
    )
    return {
        "batch_size": config.loader.batch_size,
        "autocast": "bfloat16",
        "seconds_per_step": {"loader": with_loader, "synthetic": without},
        "pairs_per_second": config.loader.batch_size / with_loader,
        # negative where chance decides
        "waiting_share_by_steps": (with_loader - without) / with_loader,
        "waiting_share_by_host": statistics.median(
            one.waited / one.seconds for one in measured["loader"]
        ),
        "rounds": {name: [one.seconds for one in steps] for name, steps in measured.items()},
        "parameters": trainer.parameters,
    }


def _endless(config: Config) -> Generator[Batch, None, None]:
    """Yield our loader's batches of full size."""
    with build_loader(config, split=SPLIT, training=True) as loader:
        while True:
            for images, labels in loader:
                if len(images) == config.loader.batch_size:
                    yield images, labels


class _Trainer:
    def __init__(self, network: str, device: torch.device) -> None:
        if str(REPOSITORY / "examples") not in sys.path:
            sys.path.insert(0, str(REPOSITORY / "examples"))
        from networks import build_network  # noqa: PLC0415

        torch.manual_seed(0)
        self._device = device
        self._model = build_network(network, classes=len(VOC_SPEC.classes)).to(device).train()
        self._optimizer = torch.optim.AdamW(self._model.parameters(), lr=1e-4)
        self.parameters = sum(parameter.numel() for parameter in self._model.parameters())

    def steps(self, batches: Iterator[Batch], *, at_least: int, seconds: float) -> _Steps:
        """Train for some time."""
        synchronize()
        count, waited = 0, 0.0
        running: deque[torch.cuda.Event] = deque()
        begin = time.perf_counter()
        while count < at_least or time.perf_counter() - begin < seconds:
            mark = time.perf_counter()
            images, labels = next(batches)
            waited += time.perf_counter() - mark
            self._step(images, labels)
            count += 1
            if self._device.type == "cuda":
                running.append(torch.cuda.Event())
                running[-1].record()
                if len(running) > _STEPS_AHEAD:
                    running.popleft().synchronize()
        synchronize()
        return _Steps(seconds=(time.perf_counter() - begin) / count, waited=waited / count)

    def _step(self, images: torch.Tensor, labels: torch.Tensor) -> None:
        with torch.autocast(self._device.type, torch.bfloat16):
            scores = self._model(images)
        loss = functional.cross_entropy(scores.float(), labels, ignore_index=255)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
