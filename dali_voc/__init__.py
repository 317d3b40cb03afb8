"""Semantic-segmentation batches for PyTorch through NVIDIA DALI."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dali_voc._build_loader import build_loader
    from dali_voc._substitutes import BadFile, Report
    from dali_voc.config import Config, load_config, parse_config
    from dali_voc.counting import count_classes
    from dali_voc.errors import (
        ConfigError,
        DaliVocError,
        DatasetError,
        DownloadError,
        LoaderError,
        PluginError,
        SampleError,
        StateError,
    )
    from dali_voc.loader import Loader
    from dali_voc.stats import ClassStats, loss_weights
    from dali_voc.textbook import load_data_voc
    from dali_voc.views import in_step

__all__ = [
    "BadFile",
    "ClassStats",
    "Config",
    "ConfigError",
    "DaliVocError",
    "DatasetError",
    "DownloadError",
    "Loader",
    "LoaderError",
    "PluginError",
    "Report",
    "SampleError",
    "StateError",
    "build_loader",
    "count_classes",
    "in_step",
    "load_config",
    "load_data_voc",
    "loss_weights",
    "parse_config",
]

__version__ = "0.1.0"

# Imported when they are asked for: PyTorch takes a second, and not every part needs it.
_HOMES = {
    "_build_loader": ("build_loader",),
    "_substitutes": ("BadFile", "Report"),
    "config": ("Config", "load_config", "parse_config"),
    "counting": ("count_classes",),
    "errors": (
        "ConfigError",
        "DaliVocError",
        "DatasetError",
        "DownloadError",
        "LoaderError",
        "PluginError",
        "SampleError",
        "StateError",
    ),
    "loader": ("Loader",),
    "stats": ("ClassStats", "loss_weights"),
    "textbook": ("load_data_voc",),
    "views": ("in_step",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    mine = {name for name in globals() if name.startswith("__")}
    return sorted(
        mine.union(__all__, (m.name for m in pkgutil.iter_modules(__path__) if m.name[0] != "_"))
    )
