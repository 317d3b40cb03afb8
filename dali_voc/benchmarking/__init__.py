"""Timing loaders against each other: what `dali-voc bench` runs."""

from __future__ import annotations

from dali_voc.benchmarking._contenders import CONTENDERS
from dali_voc.benchmarking._machine import describe_machine
from dali_voc.benchmarking._rounds import Timing, run_rounds

__all__ = ["CONTENDERS", "Timing", "describe_machine", "run_rounds"]
