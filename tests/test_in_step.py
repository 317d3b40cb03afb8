"""`in_step`: views that show the same crops, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from dali_voc import Config, Loader, LoaderError, build_loader, in_step

MakeConfig = Callable[..., Config]
CROP = {"crop_size": [48, 64], "scale": [0.5, 2.0], "rotate": 10}
STRONG = {"hue": 60, "gray": 0.2, "noise": 0.5, "view": 1, "erase": 0.5}


@pytest.fixture
def make(make_config: MakeConfig) -> Callable[..., Loader]:
    def make_one(strong: bool = False, keys: Any = None, **sections: dict[str, Any]) -> Loader:
        augment = {**CROP, **(STRONG if strong else {}), **sections.pop("augment", {})}
        return build_loader(make_config(augment=augment, **sections), **(keys or {}))

    return make_one


def test_as_zip(make: Callable[..., Loader]) -> None:
    with make() as weak, make(strong=True) as strong, make() as one, make(strong=True) as other:
        for _ in range(2):
            expected = list(zip(one, other, strict=True))
            found = list(in_step(weak, strong))
            assert len(found) == len(expected) == len(weak)
            for batches, others in zip(found, expected, strict=True):
                for batch, its in zip(batches, others, strict=True):
                    assert all(torch.equal(a, b) for a, b in zip(batch, its, strict=True))
        assert weak.state_dict()["epoch"] == strong.state_dict()["epoch"] == 2


@pytest.mark.parametrize("taken", [1, 4])
def test_resumes(make: Callable[..., Loader], taken: int) -> None:
    with make() as weak, make(strong=True) as strong:
        together = in_step(weak, strong)
        for _ in range(taken):
            next(together)
        states = weak.state_dict(), strong.state_dict()
        rest = [strong.in_hand.samples.tolist() for _ in together]
        after = [strong.in_hand.samples.tolist() for _ in in_step(weak, strong)]
    with make() as weak, make(strong=True) as strong:
        weak.load_state_dict(states[0])
        strong.load_state_dict(states[1])
        assert [strong.in_hand.samples.tolist() for _ in in_step(weak, strong)] == rest
        assert [strong.in_hand.samples.tolist() for _ in in_step(weak, strong)] == after


def test_states_of_two_moments(make: Callable[..., Loader]) -> None:
    """As `zip` alone leaves them, in which the second loader does not come to its end."""
    with make() as weak, make(strong=True) as strong:
        for _ in zip(weak, strong, strict=False):
            pass
        states = weak.state_dict(), strong.state_dict()
    with make() as weak, make(strong=True) as strong:
        weak.load_state_dict(states[0])
        strong.load_state_dict(states[1])
        with pytest.raises(LoaderError, match="one has ended before another, expected states of"):
            list(in_step(weak, strong))
        strong.set_epoch(5)
        with pytest.raises(LoaderError, match=r"in batches 0 and 0 of epochs 2 and 5; expected"):
            list(in_step(weak, strong))


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"augment": {"scale": [0.5, 1.0]}},
            r"loaders 0 and 1 are not in step: other augment\.scale",
        ),
        ({"augment": {"rotate": 11}}, r"other augment\.rotate"),
        ({"augment": {"small": "drop"}}, r"other augment\.small"),
        ({"loader": {"seed": 1}}, r"other loader\.seed"),
        ({"loader": {"batch_size": 5}}, r"other loader\.batch_size"),
        ({"loader": {"last_batch": "drop"}}, r"other loader\.last_batch"),
        ({"keys": {"training": False}}, "other training"),
        ({"keys": {"samples": [1, 0, 3]}}, "are not in step: other samples$"),
        ({"keys": {"samples": [*range(12), 13, 12]}}, "are not in step: other samples$"),
        ({"keys": {"split": "trainval", "training": True}}, "are not in step: other samples$"),
        ({"loader": {"rank": 1, "world_size": 2}}, "other samples, in batches 0 and 0"),
        ({"keys": {"weights": list(range(14))}}, "other samples, in batches 0 and 0"),
    ],
)
def test_what_is_not_in_step(
    make: Callable[..., Loader], other: dict[str, Any], words: str
) -> None:
    with make() as one, make(**other) as two:
        with pytest.raises(LoaderError, match=words):
            list(in_step(one, two))
        # a third is compared, too, and a loader is in step with one that is like it
        with make() as same, pytest.raises(LoaderError, match=words.replace("0 and 1", "0 and 2")):
            list(in_step(one, same, two))


@pytest.mark.parametrize("choice", [{"class_crop": 0.5}, {"category_max_ratio": 0.5}])
def test_crops_that_labels_choose(make: Callable[..., Loader], choice: dict[str, float]) -> None:
    bare = {"dataset": {"unlabeled": True}}
    with make(augment=choice) as one, make(augment=choice) as same:
        assert len(list(in_step(one, same))) == len(one)
        with (
            make(augment=choice, **bare) as two,
            pytest.raises(LoaderError, match="other labels, by which crops are chosen"),
        ):
            list(in_step(one, two))
    with make() as one, make(**bare) as two:
        assert len(list(in_step(one, two))) == len(one)


def test_whole_pictures(make: Callable[..., Loader]) -> None:
    whole = {"augment": {"validation": "full"}, "keys": {"split": "val"}}
    with make(**whole) as one, make(strong=True, **whole) as two:
        for plain, other in in_step(one, two):
            assert torch.equal(plain.samples, other.samples)
            assert torch.equal(plain.images, other.images)


def test_what_training_code_asks_a_loader_for(make: Callable[..., Loader]) -> None:
    with make(loader={"batch_size": 3}) as loader:
        assert loader.batch_size == 3
        assert len(loader.dataset) == len(loader.index) == 14
