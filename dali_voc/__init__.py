"""Semantic-segmentation batches for PyTorch through NVIDIA DALI."""

from __future__ import annotations

from dali_voc._substitutes import BadFile, Report
from dali_voc.config import Config, load_config, parse_config
from dali_voc.errors import (
    ConfigError,
    DaliVocError,
    DatasetError,
    LoaderError,
    PluginError,
    SampleError,
    StateError,
)
from dali_voc.loader import Loader, build_loader
from dali_voc.textbook import load_data_voc

__all__ = [
    "BadFile",
    "Config",
    "ConfigError",
    "DaliVocError",
    "DatasetError",
    "Loader",
    "LoaderError",
    "PluginError",
    "Report",
    "SampleError",
    "StateError",
    "build_loader",
    "load_config",
    "load_data_voc",
    "parse_config",
]

__version__ = "0.1.0"
