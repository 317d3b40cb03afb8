"""The configuration: YAML in, checked and frozen models out.

Every key is described by `Field(description=...)`; `configs/voc2012.yaml` is the annotated example.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from dali_voc._augment_config import AugmentConfig, ListToTuple, Section, ShortSection, Unit
from dali_voc._config_errors import one_line_per_error
from dali_voc._dataset_config import DatasetConfig, SourceConfig, expanded, path_to_str
from dali_voc.errors import ConfigError
from dali_voc.order import LastBatch

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

Deviation = Annotated[float, Field(ge=1e-6, le=1e3)]
Auto = Literal["auto"]


def _requires(key: str, found: dict[str, Any], other: str, allowed: dict[str, Any]) -> Any:
    """Return a condition between two keys, for the JSON Schema; validators check the same."""
    return {
        "if": {"properties": {key: found}, "required": [key]},
        "then": {"properties": {other: allowed}},
    }


class LabelsConfig(Section):
    """How label files are read, and what labels of a batch look like."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                _requires("dtype", {"const": "uint8"}, "ignore_index", {"maximum": 255}),
                _requires("one_hot", {"const": True}, "masks", {"type": "null"}),
                _requires("masks", {"type": "array"}, "ignore_index", {"minimum": 2}),
            ]
        }
    )

    palette: Literal["color", "index"] = Field(
        "color",
        description="how a palette PNG is read: color, its colours are mapped; index, the palette "
        "index is the class",
    )
    unknown: Literal["error", "ignore"] = Field(
        "error",
        description="what a colour or value of no class leads to: error, which names it; ignore, "
        "it becomes ignore_index",
    )
    ignore_index: int = Field(
        255,
        ge=0,
        le=65534,
        description="class index of void pixels and of padding; with more than 255 classes, one "
        "that is none of them",
    )
    dtype: Literal["int64", "int32", "uint8"] = Field("int64", description="data type of labels")
    one_hot: bool = Field(
        False,
        description="labels [n, classes, height, width] of 0 and 1, ignored pixels all 0, instead "
        "of class indices",
    )
    masks: Annotated[tuple[str, ...] | None, ListToTuple] = Field(
        None,
        description="names of classes: labels [n, names, height, width], 1 where the class is, 0 "
        "elsewhere, ignore_index on ignored pixels; null: class indices",
        examples=[["person", "car"]],
    )

    @model_validator(mode="after")
    def _one_encoding(self) -> LabelsConfig:
        if self.dtype == "uint8" and self.ignore_index > 255:
            raise ValueError(f"ignore_index {self.ignore_index} does not fit dtype uint8")
        if self.one_hot and self.masks is not None:
            raise ValueError("one_hot and masks exclude each other")
        if self.masks is not None and self.ignore_index in (0, 1):
            raise ValueError("with masks, expected an ignore_index other than their 0 and 1")
        return self


class NormalizeConfig(Section):
    """Images become (value / 255 - mean) / std, per channel R, G, B."""

    mean: Annotated[tuple[Unit, Unit, Unit], ListToTuple] = Field(
        (0.485, 0.456, 0.406), description="mean of each channel, of values in 0..1"
    )
    std: Annotated[tuple[Deviation, Deviation, Deviation], ListToTuple] = Field(
        (0.229, 0.224, 0.225), description="standard deviation of each channel, of values in 0..1"
    )
    dtype: Literal["float32", "float16", "bfloat16", "uint8"] = Field(
        "float32",
        description="data type of images; uint8: colours 0..255 that are not normalised, the mean "
        "only fills",
    )
    channels_last: bool = Field(
        False, description="images in torch.channels_last memory format; the shape is the same"
    )

    @property
    def mean_color(self) -> tuple[float, float, float]:
        """The mean in whole levels, 0..255: what fills images of bytes."""
        r, g, b = (float(round(255 * value)) for value in self.mean)
        return r, g, b


class SamplingConfig(ShortSection):
    """Which samples an epoch of training consists of; `sampling: balanced` is short for `policy`.

    See `dali_voc.sampling` for what "balanced" does.
    """

    model_config = ConfigDict(
        json_schema_extra=_requires("policy", {"const": "balanced"}, "weights", {"type": "null"})
    )
    short_for: ClassVar[str] = "policy"

    policy: Literal["uniform", "balanced"] = Field(
        "uniform",
        description="how samples are drawn: uniform, each once or by weights; balanced, with "
        "replacement, so that rare classes come as often as others",
    )
    weights: str | None = Field(
        None,
        description="text file with one weight a line, in list order: draw with replacement; "
        "null: each sample once",
        examples=["weights.txt"],
    )
    stats: str = Field(
        "stats.json",
        description="with policy balanced: the file of `dali-voc stats`; ~ and $VARIABLES are "
        "expanded",
    )

    @field_validator("stats", mode="before")
    @classmethod
    def _from_path(cls, stats: Any) -> Any:
        return path_to_str(stats)

    @field_validator("weights")
    @classmethod
    def _one_or_the_other(cls, weights: str | None, info: ValidationInfo) -> str | None:
        if weights is not None and info.data.get("policy") == "balanced":
            raise ValueError("expected null where sampling.policy is 'balanced'")
        return weights

    @property
    def stats_path(self) -> Path:
        """The file of class statistics as a path, expanded."""
        return expanded(self.stats)


class LoaderConfig(Section):
    """Batches, devices and order."""

    batch_size: int = Field(64, ge=1, le=65536, description="pairs per batch and rank")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where batches are made: cpu, cuda, or auto: cuda where there is a GPU"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | Auto = Field(
        "auto", description="CPU threads; auto: one per core that this process may use"
    )
    prefetch: int = Field(2, ge=1, le=64, description="batches made ahead")
    hw_decoder_load: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of the JPEGs that go to a GPU's hardware decoder, where it has one; "
        "null: 0.85 on Hopper and later, which have several, else as DALI has it",
        examples=[0.65],
    )
    jpeg_fancy_upsampling: bool = Field(
        False,
        description="whether a GPU interpolates the chroma of JPEGs, as the CPU does, instead of "
        "repeating it; it then decodes whole pictures and cuts them, which is slower",
    )
    gpu_tail: Literal["dali", "fused"] = Field(
        "fused",
        description="what turns decoded pictures into crops on a GPU: fused, one kernel of ours "
        "that rounds as the CPU does; dali, its operators",
    )
    seed: int = Field(
        0, ge=0, le=2**63 - 1, description="number that decides order, crops and all that is random"
    )
    rank: Annotated[int, Field(ge=0)] | Auto = Field(
        "auto",
        description="number of this process, from 0; auto: from torch.distributed, else from "
        "torchrun",
    )
    world_size: Annotated[int, Field(ge=1)] | Auto = Field(
        "auto",
        description="number of processes that share the data; auto: from torch.distributed, else "
        "from torchrun",
    )
    on_error: Literal["raise", "skip", "replace"] = Field(
        "raise",
        description="what a bad file leads to: raise, an error; skip, a picture of mean colour "
        "with every label ignore_index; replace, another sample in its place",
    )
    last_batch: LastBatch = Field(
        "partial",
        description="what becomes of a last batch that samples do not fill: partial, it is short; "
        "drop, it is left out; pad, it is filled up from the epoch's beginning",
    )


class CacheConfig(ShortSection):
    """What is kept in memory from one epoch to the next; `cache: decoded` is short for `keep`.

    The ranks of one machine share the memory; each GPU has its own for decoded pictures. What has
    been kept is not read again: files that change later are not noticed. Batches are the same with
    and without.
    """

    short_for: ClassVar[str] = "keep"

    keep: Literal["none", "encoded", "decoded"] = Field(
        "none",
        description="what stays in memory: none; encoded, files as they are; decoded, pictures, "
        "three bytes a pixel (on a GPU in its memory), and class indices, one",
    )
    memory: float = Field(
        4.0,
        gt=0,
        le=2**20,
        description="GiB at most, shared by the ranks of a machine; what does not fit is read each "
        "time; decoded on a GPU: as much there as well, taken at once",
    )


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


def load_config(path: str | os.PathLike[str], *, overrides: Sequence[str] = ()) -> Config:
    """Read and check a YAML file.

    Args:
        path: the file.
        overrides: `key.path=value`, the value in YAML: `loader.batch_size=8`,
            `augment.crop_size=[256, 256]`. Later ones win.

    Raises:
        ConfigError: the file cannot be read, or something in it is wrong; one line per problem,
            with the key's path, what was found and what is allowed.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file, expected a YAML configuration") from None
    except OSError as e:
        raise ConfigError(f"{path}: cannot be read ({e.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise ConfigError(f"{path}: not valid YAML: {' '.join(str(e).split())}") from None
    return parse_config(tree, overrides=overrides, source=str(path))


def parse_config(
    tree: Any, *, overrides: Sequence[str] = (), source: str = "configuration"
) -> Config:
    """Check a configuration given as nested dictionaries, as `load_config` does with a file's.

    Args:
        tree: section name to keys to values; None stands for an empty one.
        overrides: as in `load_config`.
        source: what errors call it.

    Raises:
        ConfigError: as in `load_config`.
    """
    if not isinstance(tree, dict | None):
        raise ConfigError(f"{source}: found {tree!r}, expected sections such as 'dataset:'")
    tree = {k: dict(v) if isinstance(v, dict) else v for k, v in (tree or {}).items()}
    for override in overrides:
        _apply(tree, override)
    try:
        return Config.model_validate(tree)
    except ValidationError as e:
        raise ConfigError("\n".join(one_line_per_error(e, Config, source))) from None


def _apply(tree: dict[Any, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"override {override!r}: expected key=value, such as loader.batch_size=8")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ConfigError(f"override {override!r}: the value is not valid YAML") from None
    short = SHORT_SECTIONS.get(parts[0])
    if short and len(parts) > 1 and isinstance(tree.get(parts[0]), str):
        tree[parts[0]] = {short: tree[parts[0]]}  # now it has keys
    for part in parts[:-1]:
        if tree.get(part) is None:
            tree[part] = {}
        tree = tree[part]
        if not isinstance(tree, dict):
            raise ConfigError(f"override {override!r}: '{part}' has no keys below it")
    tree[parts[-1]] = value
