"""Timing loaders against each other: what `dali-voc bench` and `benchmarks/cpu` run."""

from __future__ import annotations

from dali_voc.benchmarking._checks import BatchCheck, count_pairs
from dali_voc.benchmarking._contenders import (
    CONTENDERS,
    Contender,
    Item,
    bound_batches,
    endless,
)
from dali_voc.benchmarking._machine import describe_machine
from dali_voc.benchmarking._rounds import Timing, run_rounds
from dali_voc.benchmarking._usage import group_cpu_seconds

__all__ = [
    "CONTENDERS",
    "BatchCheck",
    "Contender",
    "Item",
    "Timing",
    "bound_batches",
    "count_pairs",
    "describe_machine",
    "endless",
    "group_cpu_seconds",
    "run_rounds",
]
