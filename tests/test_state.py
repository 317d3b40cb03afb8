"""Resume to the bit, over any number of ranks, and only where it belongs."""

from __future__ import annotations

import itertools
import json
import math
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import encoded_voc
import numpy as np
import pytest
import torch

from dali_voc import Config, Loader, StateError, build_loader
from dali_voc.pictures import denormalize
from dali_voc.state import FINGERPRINT, LoaderState
from dali_voc.testing import assert_resumes_exactly

MakeConfig = Callable[..., Config]
SMALL = {"crop_size": [48, 64]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sizes = [(60 + i % 5, 80 - i % 7) for i in range(23)]
    return encoded_voc.write(tmp_path_factory.mktemp("many") / "voc", sizes=sizes)


def samples(batches: list[tuple[torch.Tensor, torch.Tensor]], config: Config) -> list[int]:
    return [
        int(picture[0, 0, 0])
        for images, _ in batches
        for picture in denormalize(images, config.normalize)
    ]


@pytest.mark.parametrize(
    "loader",
    [
        {"batch_size": 5},
        {"batch_size": 5, "last_batch": "pad", "prefetch": 4},
        {"batch_size": 4, "last_batch": "drop", "prefetch": 1},
        {"batch_size": 3, "rank": 1, "world_size": 2},
    ],
)
@pytest.mark.parametrize("split", ["train", "val"])
def test_the_oracle(
    root: Path, make_config: MakeConfig, loader: dict[str, Any], split: str
) -> None:
    config = make_config(root, augment=SMALL, loader=loader)
    loads = []

    def make() -> Loader:
        made = build_loader(config, split=split)
        load = made.load_state_dict

        def counted(state: dict[str, Any]) -> None:
            loads.append(state["epoch"])
            load(state)

        made.load_state_dict = counted  # type: ignore[method-assign]
        return made

    assert assert_resumes_exactly(make, links=1) == len(loads)
    with build_loader(config, split=split) as one:
        batches = len(one)
    # before and after each batch of two epochs, and after the end of each `for`
    assert len(loads) == 1 + 2 * (batches + 1)
    loads.clear()
    assert assert_resumes_exactly(make) == len(loads)
    assert set(loads) == {0, 1, 2}


def test_the_oracle_with_weights(root: Path, make_config: MakeConfig) -> None:
    config = make_config(root, augment=SMALL, loader={"batch_size": 6})
    weights = np.arange(23.0)
    assert_resumes_exactly(lambda: build_loader(config, weights=weights))


class Forgetful:
    """Loses what a Loader's state is about, in one way or another."""

    def __init__(self, loader: Loader, fault: str) -> None:
        self.loader, self.fault = loader, fault

    def __iter__(self) -> Any:
        batches = iter(self.loader)
        if self.fault == "drops the last" and self.loader._position.following.epoch == 1:
            return iter(list(batches)[:-1]) if self.resumed else batches
        return batches

    resumed = False

    def state_dict(self) -> dict[str, Any]:
        return self.loader.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.resumed = True
        if self.fault == "forgets the epoch":
            state = {**state, "epoch": 0}
        if self.fault == "repeats a batch":
            state = {**state, "delivered": max(0, state["delivered"] - 8)}
        if self.fault != "forgets all":
            self.loader.load_state_dict(state)


@pytest.mark.parametrize(
    "fault", ["forgets all", "forgets the epoch", "repeats a batch", "drops the last"]
)
def test_the_oracle_finds_faults(root: Path, make_config: MakeConfig, fault: str) -> None:
    config = make_config(root, augment=SMALL, loader={"batch_size": 8})
    assert_resumes_exactly(lambda: Forgetful(build_loader(config), "none"))
    with pytest.raises(AssertionError, match="resumed after"):
        assert_resumes_exactly(lambda: Forgetful(build_loader(config), fault))


class Replayed:
    """Batches of another kind: the first time these, and from a state those."""

    def __init__(self, batches: list[Any], resumed: list[Any]) -> None:
        self.batches, self.resumed, self.at = batches, resumed, 0

    def __iter__(self) -> Any:
        for batch in self.batches[self.at :]:
            self.at += 1
            yield batch
        self.at = 0

    def state_dict(self) -> dict[str, Any]:
        return {"at": self.at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.at, self.batches = state["at"], self.resumed


ZERO, NAN = torch.zeros(2), torch.tensor([0.0, math.nan])


@pytest.mark.parametrize(
    ("expected", "found", "words"),
    [
        (NAN, NAN.clone(), None),
        (ZERO, -ZERO, r"batch \d differs in 2 values"),
        (torch.tensor(1.5), torch.tensor(1.25), "differs in 1 values"),
        (torch.empty(0, 3), torch.empty(0, 3), None),
        (torch.empty(0, 3), torch.empty(0, 2), r"has shape \[0, 2\], not \[0, 3\]"),
        ({"image": ZERO, "name": ["a"]}, {"name": ["a"], "image": ZERO}, None),
        ({"image": ZERO}, {"label": ZERO}, r"holds \[\"\['label'\]\"\], expected"),
        ({"image": ZERO, "name": ["a"]}, {"image": ZERO, "name": ["b"]}, "is 'b', expected 'a'"),
        ([ZERO, (ZERO, NAN)], [ZERO, (ZERO, ZERO)], r"\[1\]\[1\] differs in 1 values"),
        ((ZERO,), (ZERO.int(),), r"\[0\] is torch.int32, expected torch.float32"),
        ((ZERO,), (ZERO, ZERO), "holds"),
        ([np.array([1.0, np.nan]), np.nan], [np.array([1.0, np.nan]), np.nan], None),
        ([np.zeros(2)], [-np.zeros(2)], r"\[0\] differs in 2 values"),
        ([np.array(["a", "b"])], [np.array(["a", "c"])], r"\[0\]\[1\] is 'c', expected 'b'"),
        ([0.0], [-0.0], r"\[0\] differs in 1 values"),
        (ZERO.expand(3, 2), torch.zeros(3, 2), None),
        (torch.arange(6.0).view(2, 3).T, torch.arange(6.0).view(2, 3).T.contiguous(), None),
    ],
)
def test_the_oracle_with_batches_of_any_kind(expected: Any, found: Any, words: str | None) -> None:
    def check() -> int:
        return assert_resumes_exactly(lambda: Replayed([expected] * 2, [found] * 2))

    if words is None:
        assert check() > 0
    else:
        with pytest.raises(AssertionError, match=words):
            check()


def test_the_oracle_copies_what_is_written_to_again() -> None:
    """Else a record of one buffer would hold its last batch many times."""

    class Reused:
        def __init__(self) -> None:
            self.numbers, self.listed, self.at = np.zeros(3), [0], 0

        def __iter__(self) -> Any:
            while self.at < 3:
                self.numbers[:] = self.listed[0] = self.at
                self.at += 1
                yield {"numbers": self.numbers, "listed": self.listed}
            self.at = 0

        def state_dict(self) -> dict[str, Any]:
            return {"at": self.at}

        def load_state_dict(self, state: dict[str, Any]) -> None:
            self.at = state["at"]

    assert assert_resumes_exactly(Reused) > 0


def test_state_is_small_plain_and_the_same_on_every_rank(
    root: Path, make_config: MakeConfig
) -> None:
    states = []
    for rank in range(2):
        config = make_config(
            root, augment=SMALL, loader={"batch_size": 3, "rank": rank, "world_size": 2}
        )
        with build_loader(config) as loader:
            next(iter(loader))
            states.append(json.dumps(loader.state_dict()))
    assert states[0] == states[1]
    assert len(states[0]) < 1000
    assert json.loads(states[0])["delivered"] == 6


@pytest.mark.parametrize("before", [(1, 8), (4, 2), (2, 3)])
@pytest.mark.parametrize("after", [(1, 8), (2, 4), (8, 1), (1, 5)])
def test_another_batch_size_takes_the_same_steps(
    root: Path,
    make_config: MakeConfig,
    caplog: pytest.LogCaptureFixture,
    before: tuple[int, int],
    after: tuple[int, int],
) -> None:
    """Number of ranks and batch size: steps of all ranks together, and what is logged."""
    state: Any = None

    def steps(shape: tuple[int, int], *, stop: int | None = None) -> list[list[int]]:
        nonlocal state
        by_rank, begin = [], state
        for rank in range(shape[0]):
            loader = {"world_size": shape[0], "batch_size": shape[1], "rank": rank}
            config = make_config(root, augment=SMALL, loader=loader)
            with build_loader(config) as made:
                if begin is not None:
                    made.load_state_dict(begin)
                iterator = itertools.islice(made, stop)
                by_rank.append([samples([batch], config) for batch in iterator])
                state = made.state_dict()
        return [sorted(itertools.chain(*step)) for step in zip(*by_rank, strict=True)]

    size = before[0] * before[1]
    whole = steps((1, size))
    assert sorted(itertools.chain(*whole)) == list(range(23))
    state = None
    first = steps(before, stop=1)
    assert first == whole[:1]
    caplog.clear()
    rest = steps(after)
    warned = [record for record in caplog.records if "loader.batch_size is" in record.message]
    assert len(warned) == (after[0] if before[1] != after[1] else 0)
    if after[0] * after[1] == size:
        *full, last = first + rest
        assert full == whole[:-1]
        assert set(last) >= set(whole[-1])
    delivered = sorted(itertools.chain(*first, *rest))
    # where fewer are left than ranks, each rank gets one
    assert delivered == list(range(23)) or len(delivered) < 23 + after[0]
    assert set(delivered) == set(range(23))


@pytest.mark.parametrize("before", [1, 2, 4])
@pytest.mark.parametrize("after", [1, 2, 4, 8])
def test_another_number_of_ranks_goes_on(
    root: Path, make_config: MakeConfig, before: int, after: int
) -> None:
    """What was not delivered is delivered, with the same crops, and nothing else."""

    def config(rank: int, world: int) -> Config:
        return make_config(
            root, augment=SMALL, loader={"batch_size": 2, "rank": rank, "world_size": world}
        )

    with build_loader(config(0, 1)) as loader:
        whole = {
            int(denormalize(images, config(0, 1).normalize)[i, 0, 0, 0]): (images[i], labels[i])
            for images, labels in loader
            for i in range(len(images))
        }
    delivered: list[int] = []
    for rank in range(before):
        with build_loader(config(rank, before)) as loader:
            iterator = iter(loader)
            delivered += samples([next(iterator) for _ in range(2)], config(0, 1))
            state = loader.state_dict()
    rest: list[int] = []
    lengths = set()
    for rank in range(after):
        with build_loader(config(rank, after)) as loader:
            loader.load_state_dict(state)
            batches = list(loader)
            lengths.add(len(batches))
            members = samples(batches, config(0, 1))
            images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
            for i, sample in enumerate(members):
                assert torch.equal(images[i], whole[sample][0])
                assert torch.equal(labels[i], whole[sample][1])
            rest += members
            assert len(list(loader)) == len(loader)
    assert len(lengths) == 1
    counts = Counter(delivered + rest)
    left = (23 - 4 * before) % (2 * after)
    assert set(counts) == set(range(23))
    assert sum(counts.values()) == 23 + (max(0, after - left) if left else 0)


def test_state_after_the_last_batch_and_after_the_end(root: Path, make_config: MakeConfig) -> None:
    config = make_config(root, augment=SMALL, loader={"batch_size": 8})
    with build_loader(config) as loader:
        iterator = iter(loader)
        for _ in range(3):
            next(iterator)
        last = loader.state_dict()
        assert next(iterator, None) is None
        over = loader.state_dict()
    assert (last["epoch"], last["delivered"]) == (0, 23)
    assert (over["epoch"], over["delivered"]) == (1, 0)
    with build_loader(config) as loader:
        loader.load_state_dict(last)
        assert len(list(loader)) == 0
        assert len(list(loader)) == 3
        assert loader.state_dict()["epoch"] == 2


def test_loading_into_a_running_loader(root: Path, make_config: MakeConfig) -> None:
    config = make_config(root, augment=SMALL, loader={"batch_size": 8})
    with build_loader(config) as loader:
        iterator = iter(loader)
        next(iterator)
        state = loader.state_dict()
        second = next(iterator)[0].clone()
        loader.load_state_dict(state)
        assert loader.state_dict() == state
        assert torch.equal(next(iter(loader))[0], second)


DIFFERENCES: dict[str, dict[str, Any]] = {
    "samples": {"split": "trainval"},
    "classes": {"labels": {"ignore_index": 254}},
    "augment": {"augment": {"crop_size": [48, 65]}},
    "normalize": {"normalize": {"mean": [0.5, 0.5, 0.5]}},
    "training": {"training": False},
    "weights": {"weights": np.ones(14)},
    "epoch_length": {"sampling": {"epoch_length": 30}},
    "crops": {"sampling": {"crops": 2}},
    "seed": {"loader": {"seed": 1}},
    "last_batch": {"loader": {"last_batch": "drop"}},
}


def load_elsewhere(make_config: MakeConfig, difference: dict[str, Any]) -> None:
    base = {"augment": SMALL, "loader": {"batch_size": 4}}
    with build_loader(make_config(**base)) as loader:
        next(iter(loader))
        state = loader.state_dict()
    difference = dict(difference)
    options = {k: difference.pop(k) for k in ("split", "training", "weights") if k in difference}
    sections = {k: {**base.get(k, {}), **v} for k, v in difference.items()}
    with build_loader(make_config(**{**base, **sections}), **options) as loader:
        loader.load_state_dict(state)


@pytest.mark.parametrize("name", sorted(set(FINGERPRINT) - {"batch_size"}))
def test_a_run_that_differs_is_refused_by_name(make_config: MakeConfig, name: str) -> None:
    with pytest.raises(StateError) as error:
        load_elsewhere(make_config, DIFFERENCES[name])
    assert "the state belongs to another run; it differs in " in str(error.value)
    assert f"({name}: " in str(error.value)
    others = [other for other in FINGERPRINT if f"({other}: " in str(error.value)]
    assert others == [name]


@pytest.mark.parametrize(
    "loader",
    [
        {"threads": 1},
        {"prefetch": 3},
        {"on_error": "skip"},
        {"rank": 1, "world_size": 2},
        {"batch_size": 5},
    ],
)
def test_what_may_differ(make_config: MakeConfig, loader: dict[str, Any]) -> None:
    load_elsewhere(make_config, {"loader": loader})


@pytest.mark.parametrize(
    ("training", "augment"),
    [
        (True, {"validation": "slide", "stride": [20, 20], "pad_multiple": 8}),
        (False, {"flip": 0.1, "scale": [0.5, 2.0], "brightness": 32, "class_crop": 0.5}),
    ],
)
def test_keys_that_do_not_act_may_differ(
    make_config: MakeConfig, training: bool, augment: dict[str, Any]
) -> None:
    """Also in a state of before they were left out."""
    config = make_config(augment={**SMALL, **augment})
    with build_loader(config, training=training) as loader:
        state = loader.state_dict()
    old = json.loads(json.dumps(state))
    old["fingerprint"]["augment"] = json.dumps({"crop_size": [1, 1], **SMALL, **augment})
    del old["fingerprint"]["files"]
    for taken in state, old:
        with build_loader(make_config(augment=SMALL), training=training) as loader:
            loader.load_state_dict(taken)
    with (
        build_loader(make_config(augment={**SMALL, "crop_size": [9, 9]}), training=training) as one,
        pytest.raises(StateError, match="it differs in section augment"),
    ):
        one.load_state_dict(state)


@pytest.mark.parametrize("change", ["labels", "moved", "nothing"])
def test_a_warning_where_the_same_names_are_other_files(
    make_config: MakeConfig,
    root: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    here = shutil.copytree(root, tmp_path / "voc")
    shutil.copytree(here / "SegmentationClass", here / "Seg2")
    tree = {"name": "voc_layout", "classes": [f"c{i}" for i in range(21)]}

    def build(**keys: Any) -> Any:
        dataset = {**tree, "root": str(here), "labels": "SegmentationClass", **keys}
        return build_loader(make_config(dataset=dataset, augment=SMALL))

    with build() as loader:
        next(iter(loader))
        state = loader.state_dict()
    keys: dict[str, Any] = {}
    if change == "labels":
        keys["labels"] = "Seg2"
    if change == "moved":
        keys["root"] = str(here.rename(tmp_path / "elsewhere"))
    with build(**keys) as loader:
        loader.load_state_dict(state)
        assert ("had other paths below dataset.root" in caplog.text) == (change == "labels")


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": -1},
        {"epoch": 2**63},
        {"delivered": 99},
        {"delivered": 1.5},
        {"version": 1},
        {"extra": 1},
    ],
)
def test_damaged_states(make_config: MakeConfig, change: dict[str, Any]) -> None:
    with build_loader(make_config(augment=SMALL)) as loader:
        state = loader.state_dict()
        with pytest.raises(StateError):
            loader.load_state_dict({**state, **change})
        with pytest.raises(StateError, match="not a state"):
            loader.load_state_dict({})
        with pytest.raises(StateError, match="not a state"):
            loader.load_state_dict(None)  # type: ignore[arg-type]
        assert loader.state_dict() == state


def test_the_oracle_without_asserts(tmp_path: Path) -> None:
    """Under `python -O`, which leaves assertions out."""
    code = """
from dali_voc.testing import assert_resumes_exactly
import torch

class Wrong:
    def __init__(self): self.at = 0
    def __iter__(self):
        for self.at in range(1, 4): yield (torch.tensor([self.at]),)
    def state_dict(self): return {}
    def load_state_dict(self, state): pass

try:
    assert_resumes_exactly(Wrong)
except AssertionError as e:
    print("found:", e)
"""
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("found: resumed after 1 batches of epoch 0")


def test_a_state_says_whether_its_for_was_left(make_config: MakeConfig) -> None:
    with build_loader(make_config()) as loader:
        for _ in loader:
            assert not loader.state_dict()["left"]
            break
        assert loader.state_dict()["left"]
        state = loader.state_dict()
    with build_loader(make_config()) as loader:
        loader.load_state_dict(state)
        assert loader.state_dict() == state


def test_a_state_without_a_batch_size_is_refused(make_config: MakeConfig) -> None:
    with build_loader(make_config()) as loader:
        state = loader.state_dict()
        del state["fingerprint"]["batch_size"]
        with pytest.raises(StateError, match=r"differs in loader\.batch_size"):
            loader.load_state_dict(state)


def test_no_warning_where_files_lie_elsewhere_than_below_the_root(
    make_config: MakeConfig, caplog: pytest.LogCaptureFixture
) -> None:
    with build_loader(make_config()) as loader:
        expected, state = loader.state_dict()["fingerprint"], loader.state_dict()
    for here, there in ("", expected["files"]), (expected["files"], ""):
        state["fingerprint"]["files"] = there
        LoaderState.from_dict(state, expected={**expected, "files": here}, length=14)
    assert not caplog.messages
