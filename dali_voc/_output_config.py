"""Sections `labels` and `normalize`: what batches consist of."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from dali_voc._config_section import ListToTuple, Section, Unit, requires

__all__ = ["LabelsConfig", "NormalizeConfig"]


def _not_of_bytes(value: Any) -> Any:
    if isinstance(value, int | float) and value > 10:
        raise ValueError("expected a number for values in 0..1: divide those for 0..255 by 255")
    return value


Mean = Annotated[Unit, BeforeValidator(_not_of_bytes)]
Deviation = Annotated[float, Field(ge=1e-6, le=10), BeforeValidator(_not_of_bytes)]


class LabelsConfig(Section):
    """How label files are read, and what labels of a batch look like."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                requires("dtype", {"const": "uint8"}, "ignore_index", {"maximum": 255}),
                requires("one_hot", {"const": True}, "masks", {"type": "null"}),
                requires("masks", {"type": "array"}, "ignore_index", {"minimum": 2}),
            ]
        }
    )

    palette: Literal["auto", "color", "index"] = Field(
        "auto",
        description="how a palette PNG is read: color, its colours are mapped, if any are known; "
        "index, the palette index is the class; auto, as color, but where dataset.classes are "
        "names alone, for which VOC's colours are assumed, a pixel whose colour and index are of "
        "two classes is an error",
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
        description="class index of void pixels and of padding: 0, or one that is no class",
    )
    unlabeled_index: Annotated[int, Field(ge=0, le=65533)] | None = Field(
        None,
        description="class index that fills pictures without a label, such as 0, so that "
        "ignore_index shows what is no picture; null: ignore_index",
    )
    dtype: Literal["int64", "int32", "uint8"] = Field("int64", description="data type of labels")
    one_hot: bool = Field(
        False,
        description="labels [n, classes, height, width] of 0 and 1, ignored pixels all 0, instead "
        "of class indices",
    )
    masks: Annotated[Annotated[tuple[str, ...], Field(min_length=1)] | None, ListToTuple] = Field(
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

    mean: Annotated[tuple[Mean, Mean, Mean], ListToTuple] = Field(
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
