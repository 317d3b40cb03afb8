"""A loader's state: where it is in which epoch, and the fingerprint of what it reads.

The state is a small dictionary of numbers and strings, fit for JSON and for a checkpoint. Loaded
into a loader with the same fingerprint it goes on with the very next batch. What may differ: ranks
and batch size (the samples not yet delivered are dealt out anew), threads, prefetch, device, what
is done about bad files, and where the data lies. What may not: what else `FINGERPRINT` names. Of
files that have the same names and other paths below the data set's folder, a warning tells.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from dali_voc._augment_config import KEPT_IN_VALIDATION, OF_VALIDATION
from dali_voc._digest import json_digest
from dali_voc.config import Config
from dali_voc.datasets import PairIndex
from dali_voc.errors import StateError

__all__ = ["FINGERPRINT", "LoaderState", "fingerprint"]

_log = logging.getLogger("dali_voc")
_VERSION = 2

FINGERPRINT = {
    "samples": "the list of samples",
    "classes": "what label values mean (classes, colours, section labels)",
    "augment": "section augment",
    "normalize": "section normalize",
    "training": "training or validation",
    "weights": "sampling weights",
    "epoch_length": "sampling.epoch_length",
    "crops": "sampling.crops",
    "seed": "loader.seed",
    "batch_size": "loader.batch_size",
    "last_batch": "loader.last_batch (in validation, validation_last_batch)",
}
# what states of earlier versions do not say
_BEFORE = {"epoch_length": "all samples", "crops": "1"}
# the same on all ranks, but another where a state is loaded is no other run
_MAY_DIFFER = "batch_size"


@dataclass(frozen=True, kw_only=True)
class LoaderState:
    """Where a loader is.

    Attributes:
        epoch: the epoch of the next batch.
        delivered: how much of its list has been delivered, over all ranks.
        left: whether the `for` that it was taken in had been left by then, as by a `break`.
        fingerprint: see `fingerprint`.
    """

    epoch: int
    delivered: int
    left: bool = False
    fingerprint: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings and dictionaries."""
        return {"version": _VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, state: Any, *, expected: Mapping[str, str], length: int) -> LoaderState:
        """Check a dictionary made by `to_dict`.

        Args:
            state: the dictionary.
            expected: the fingerprint of the loader that is to go on from it.
            length: samples of that loader's epoch.

        Raises:
            StateError: it is not such a dictionary, or its fingerprint differs.
        """
        keys = {"version", "epoch", "delivered", "fingerprint"}
        if not isinstance(state, Mapping) or set(state) - {"left"} != keys:
            raise StateError("this is not a state of a dali_voc loader")
        if type(state["version"]) is not int or state["version"] != _VERSION:
            raise StateError(
                f"the state has version {state['version']!r}, this dali_voc reads {_VERSION}"
            )
        found = state["fingerprint"]
        if not isinstance(found, Mapping):
            raise StateError("the state is damaged: it has no fingerprint")
        found = {**found, "augment": _of_this_kind(found.get("augment"), expected["training"])}
        differing = [
            f"{meaning} ({name}: {found.get(name)!r} in the state, {expected[name]!r} here)"
            for name, meaning in FINGERPRINT.items()
            if found.get(name, _BEFORE.get(name)) != expected[name]
            and not (name == _MAY_DIFFER and name in found)
        ]
        if differing:
            raise StateError(
                f"the state belongs to another run; it differs in {', '.join(differing)}; go back "
                "to that, or begin an epoch anew by set_epoch"
            )
        files = found.get("files"), expected["files"]
        if all(files) and files[0] != files[1]:
            _log.warning(
                "the state was taken where the samples' files had other paths below dataset.root "
                "(another folder of labels or images, sources in another order): they have the "
                "same names here, make sure that they are the same pictures and labels"
            )
        epoch, delivered, left = state["epoch"], state["delivered"], state.get("left", False)
        if not isinstance(left, bool):
            raise StateError(f"the state is damaged: left is {left!r}")
        is_sound = _is_count(epoch) and epoch < 2**63 and _is_count(delivered)
        if not is_sound or delivered > length:
            raise StateError(
                f"the state is damaged: epoch {epoch!r}, {delivered!r} of {length} delivered"
            )
        return cls(epoch=epoch, delivered=delivered, left=left, fingerprint=dict(found))


def fingerprint(
    config: Config,
    index: PairIndex,
    *,
    training: bool,
    weights: npt.NDArray[np.float64] | None = None,
) -> dict[str, str]:
    """Return what decides a loader's batches, in short strings: readable, or hashed where long."""
    labels = config.labels
    if index.spec.palette_rule(labels.palette) == index.spec.palette_rule("auto"):
        labels = labels.model_copy(update={"palette": "auto"})  # as the default, which is left out
    return {
        "samples": index.digest(),
        "classes": _digest([index.meaning(), _changed(labels)]),
        "augment": _of_this_kind(
            _changed(config.augment), "training" if training else "validation"
        ),
        "normalize": _changed(config.normalize),
        "training": "training" if training else "validation",
        "weights": "none" if weights is None else _digest(weights.tolist()),
        "epoch_length": _epoch_length(config, index, training=training),
        "crops": str(config.sampling.crops if training else 1),
        "seed": str(config.loader.seed),
        "batch_size": str(config.loader.batch_size),
        "last_batch": config.loader.last_batch,
        "files": index.origin_digest(config.dataset.path),
    }


def _epoch_length(config: Config, index: PairIndex, *, training: bool) -> str:
    length = config.sampling.epoch_length if training else None
    return "all samples" if length in (None, len(index)) else str(length)


def _of_this_kind(augment: Any, kind: str) -> Any:
    """Return what section `augment` changes in training, or in validation, without the rest."""
    try:
        keys = json.loads(augment)
    except (TypeError, ValueError):
        keys = None
    if not isinstance(keys, dict):
        return augment  # damaged, or not there
    if kind == "training":
        kept = {key: value for key, value in keys.items() if key not in OF_VALIDATION}
    else:
        kept = {key: value for key, value in keys.items() if key in KEPT_IN_VALIDATION}
    return json.dumps(kept, sort_keys=True)


def _changed(section: BaseModel) -> str:
    """Return what is not at its default; a key that is new in a later version changes nothing."""
    return json.dumps(section.model_dump(mode="json", exclude_defaults=True), sort_keys=True)


def _digest(value: Any) -> str:
    return f"sha256 {json_digest(value)}"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
