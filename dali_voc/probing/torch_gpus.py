"""Asks PyTorch for GPUs, which starts the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from dali_voc.probing._report import Report

__all__ = ["probe"]


def probe(request: Mapping[str, Any], report: Report) -> None:
    """Report `gpus`: how many PyTorch can use."""
    report(stage="asking PyTorch for GPUs")
    report(gpus=torch.cuda.device_count() if torch.cuda.is_available() else 0)
