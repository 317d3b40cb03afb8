"""Sections `sampling`, `cache` and `loader`: which samples, kept where, made how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from dali_voc._config_section import PathText, Section, ShortSection, expanded, requires
from dali_voc.order import LastBatch

__all__ = ["CacheConfig", "LoaderConfig", "SamplingConfig"]

Auto = Literal["auto"]


def _no_number(value: object) -> object:
    if isinstance(value, str) and value.startswith("cuda:"):
        raise ValueError(
            "expected cuda: which GPU it is, LOCAL_RANK or torch.cuda.set_device says, or "
            "CUDA_VISIBLE_DEVICES"
        )
    return value


class SamplingConfig(ShortSection):
    """Which samples an epoch of training consists of; `sampling: balanced` is short for `policy`.

    See `dali_voc.sampling` for what "balanced" does.
    """

    model_config = ConfigDict(
        json_schema_extra=requires("policy", {"const": "balanced"}, "weights", {"type": "null"})
    )
    short_for: ClassVar[str] = "policy"

    policy: Literal["uniform", "balanced"] = Field(
        "uniform",
        description="how samples are drawn: uniform, each once or by weights; balanced, with "
        "replacement, so that rare classes come as often as others",
    )
    weights: PathText | None = Field(
        None,
        description="text file with one weight a line, in list order: draw with replacement; ~ and "
        "$VARIABLES are expanded; null: each sample once",
        examples=["weights.txt"],
    )
    stats: PathText = Field(
        "stats.json",
        description="with policy balanced: the file of `dali-voc stats`; ~ and $VARIABLES are "
        "expanded",
    )

    epoch_length: int | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="samples of an epoch of training, over all ranks: all come, each time with "
        "another crop, before any comes again, or fewer than all; null: as many as there are",
        examples=[2000],
    )

    crops: int = Field(
        1,
        ge=1,
        le=1024,
        description="crops of each sample that comes, one after another in a batch of training: on "
        "the CPU it is read and decoded once; loader.batch_size counts crops, and is a multiple of "
        "this, epoch_length counts samples",
    )

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


class LoaderConfig(Section):
    """Batches, devices and order."""

    batch_size: int = Field(64, ge=1, le=65536, description="pairs per batch and rank")
    device: Annotated[Literal["auto", "cpu", "cuda"], BeforeValidator(_no_number)] = Field(
        "auto", description="where batches are made: cpu, cuda, or auto: cuda where there is a GPU"
    )
    threads: Annotated[int, Field(ge=1, le=1024)] | Auto = Field(
        "auto",
        description="CPU threads; auto: one per core that this process may use, or that a "
        "container's CPU limit comes to",
    )
    prefetch: Annotated[int, Field(ge=1, le=64)] | Auto = Field(
        "auto",
        description="batches made ahead; auto: 4 on a data centre's GPU from Hopper on, else 2",
    )
    hw_decoder_load: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of the JPEGs that go to a GPU's hardware decoder, where it has one; "
        "null: 1 on a data centre's GPU from Hopper on, which have several, else as DALI has it",
        examples=[0.65],
    )
    jpeg_fancy_upsampling: bool = Field(
        False,
        description="whether a GPU interpolates the chroma of JPEGs, as the CPU does, instead of "
        "repeating it; it then decodes whole pictures and cuts them, which is slower",
    )
    gpu_tail: Literal["dali", "fused"] = Field(
        "fused",
        description="what turns decoded pictures into crops on a GPU: fused, kernels of ours "
        "that round as the CPU does; dali, its operators",
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
        description="what becomes of a last batch of training that samples do not fill: partial, "
        "it is short; drop, it is left out; pad, it is filled up from the epoch's beginning",
    )
    validation_batch_size: Annotated[int, Field(ge=1, le=65536)] | None = Field(
        None,
        description="batch_size of validation, such as 1 where it shows whole pictures; null: the "
        "same",
        examples=[1],
    )
    validation_last_batch: LastBatch = Field(
        "partial", description="last_batch of validation; partial shows each sample once"
    )

    def of_pass(self, *, training: bool) -> LoaderConfig:
        """Return the section with the `batch_size` and `last_batch` of training or validation."""
        if training:
            return self
        size = self.validation_batch_size or self.batch_size
        return self.model_copy(
            update={"batch_size": size, "last_batch": self.validation_last_batch}
        )

    @property
    def raises(self) -> bool:
        """Whether a bad file is an error, and is not passed over."""
        return self.on_error == "raise"
