"""Semantic-segmentation batches for PyTorch through NVIDIA DALI."""

from __future__ import annotations

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
from dali_voc.loader import Loader, build_loader
from dali_voc.stats import ClassStats, loss_weights
from dali_voc.textbook import load_data_voc

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
    "load_config",
    "load_data_voc",
    "loss_weights",
    "parse_config",
]

__version__ = "0.1.0"
