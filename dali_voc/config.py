"""The configuration: YAML in, checked and frozen models out.

Every key is described by `Field(description=...)`; `configs/voc2012.yaml` is the annotated example.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from dali_voc._augment_config import AugmentConfig
from dali_voc._config_errors import brief, one_line_per_error
from dali_voc._config_section import Section
from dali_voc._config_tree import apply_override, copy_tree, read_tree
from dali_voc._dataset_config import DatasetConfig, SourceConfig
from dali_voc._loader_config import CacheConfig, LoaderConfig, SamplingConfig
from dali_voc._output_config import LabelsConfig, NormalizeConfig
from dali_voc.errors import ConfigError

__all__ = [
    "SHORT_SECTIONS",
    "AugmentConfig",
    "CacheConfig",
    "Config",
    "DatasetConfig",
    "LabelsConfig",
    "LoaderConfig",
    "NormalizeConfig",
    "SamplingConfig",
    "SourceConfig",
    "load_config",
    "parse_config",
]


class Config(Section):
    """The whole configuration."""

    dataset: DatasetConfig
    labels: LabelsConfig = LabelsConfig()
    augment: AugmentConfig = AugmentConfig()
    normalize: NormalizeConfig = NormalizeConfig()
    sampling: SamplingConfig = SamplingConfig()
    cache: CacheConfig = CacheConfig()
    loader: LoaderConfig = LoaderConfig()


# section -> the key whose value may stand for it
SHORT_SECTIONS = {"sampling": SamplingConfig.short_for, "cache": CacheConfig.short_for}


def load_config(path: str | os.PathLike[str], *, overrides: Iterable[str] = ()) -> Config:
    """Read and check a YAML file.

    Args:
        path: the file.
        overrides: `key.path=value`, the value in YAML: `loader.batch_size=8`,
            `augment.crop_size=[256, 256]`. Later ones win.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; one line per problem,
            with the key's path, what was found and what is allowed.
    """
    return parse_config(read_tree(path), overrides=overrides, source=str(path))


def parse_config(
    tree: Any, *, overrides: Iterable[str] = (), source: str = "configuration"
) -> Config:
    """Check a configuration given as nested mappings, as `load_config` does with a file's.

    Args:
        tree: section name to keys to values, in dictionaries or what acts as such; None stands for
            an empty one, or for a section none of whose keys are given. Or a `Config`, which
            overrides make another of.
        overrides: as in `load_config`.
        source: what errors call it.

    Raises:
        ConfigError: as in `load_config`.
    """
    if isinstance(tree, Config):
        tree = tree.model_dump()
    if not isinstance(tree, Mapping | None):
        hint = "; its to_dict() gives some" if hasattr(tree, "to_dict") else ""
        raise ConfigError(
            f"{source}: found {brief(tree)}, expected sections such as 'dataset:'{hint}"
        )
    listed = overrides if isinstance(overrides, str) or overrides is None else list(overrides)
    if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
        raise ConfigError(
            f"overrides: found {brief(listed)}, expected a list such as ['loader.batch_size=8']"
        )
    try:
        tree = copy_tree(tree or {})
    except RecursionError:
        raise ConfigError(f"{source}: it is nested too deeply") from None
    overridden = [
        apply_override(tree, override, short_sections=SHORT_SECTIONS) for override in listed
    ]
    # all of its keys may be commented out
    tree.update({name: {} for name in Config.model_fields if name in tree and tree[name] is None})
    try:
        return Config.model_validate(tree)
    except ValidationError as e:
        raise ConfigError(
            "\n".join(one_line_per_error(e, Config, source, overridden=overridden))
        ) from None
