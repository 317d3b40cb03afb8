"""Timing loaders against each other: what `dali-voc bench` and `benchmarks/cpu` run."""

from __future__ import annotations

from dali_voc.benchmarking._checks import BatchCheck
from dali_voc.benchmarking._contenders import CONTENDERS, Contender, Item, endless
from dali_voc.benchmarking._machine import describe_machine
from dali_voc.benchmarking._rounds import Timing, run_rounds

__all__ = [
    "CONTENDERS",
    "BatchCheck",
    "Contender",
    "Item",
    "Timing",
    "describe_machine",
    "endless",
    "run_rounds",
]
