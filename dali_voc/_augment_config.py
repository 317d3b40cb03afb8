"""Section `augment` of the configuration."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict

from dali_voc._config_section import ListToTuple, Section, Unit, requires

__all__ = ["AugmentConfig"]

CropSide = Annotated[int, Field(ge=1, le=16384)]
Factor = Annotated[float, Field(ge=0.05, le=20)]
Ratio = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Sigma = Annotated[float, Field(ge=0.05, le=20)]
Level = Annotated[float, Field(ge=0, le=255)]
Quality = Annotated[int, Field(ge=1, le=100)]
Aspect = Annotated[float, Field(ge=0.05, le=20)]
_NOT_RELATIVE: JsonDict = {"not": {"exclusiveMinimum": 0, "exclusiveMaximum": 1}}


def _module_and_function(value: str) -> str:
    if not re.fullmatch(r"[\w.]+:\w+", value):
        raise ValueError("expected module:function, such as my_package.operators:posterize")
    return value


Operator = Annotated[
    str,
    AfterValidator(_module_and_function),
    WithJsonSchema({"type": "string", "pattern": r"^[\w.]+:\w+$"}),
]


_NULL: JsonDict = {"type": "null"}
_RESIZES = ("resize_shorter", "resize_longer", "resize_to")


class AugmentConfig(Section):
    """What happens to a pair on the way."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                *(requires("resize_to", {"type": "array"}, key, _NULL) for key in _RESIZES[:2]),
                *(requires("small", {"const": "drop"}, key, _NULL) for key in _RESIZES),
                {
                    "if": {
                        "properties": {"stored_labels": {"const": True}},
                        "required": ["stored_labels"],
                    },
                    "then": {
                        "properties": {"validation": {"const": "resize"}},
                        "required": ["validation"],
                    },
                },
            ]
        }
    )

    crop_size: Annotated[tuple[CropSide, CropSide], ListToTuple] = Field(
        (320, 480), description="height and width of the output, pixels"
    )
    flip: Unit = Field(0.5, description="share of training samples mirrored left to right")
    vertical_flip: Unit = Field(0.0, description="share of training samples mirrored top to bottom")
    resize_shorter: CropSide | None = Field(
        None,
        description="pixels that the shorter side of every picture has before it is scaled and "
        "cropped, or fewer for resize_longer; null: as stored",
        examples=[512],
    )
    resize_longer: CropSide | None = Field(
        None,
        description="pixels that the longer side has likewise, or fewer for resize_shorter",
        examples=[2048],
    )
    resize_to: Annotated[tuple[CropSide, CropSide] | None, ListToTuple] = Field(
        None,
        description="in place of both: height and width that every picture has, whatever its shape",
        examples=[[512, 512]],
    )
    scale: Annotated[tuple[Factor, Factor] | None, ListToTuple] = Field(
        None,
        description="range of factors by which pictures, resized or as stored, are scaled before "
        "they are cropped; null: not at all",
        examples=[[0.5, 2.0]],
    )
    scale_distribution: Literal["uniform", "log_uniform"] = Field(
        "uniform", description="with scale: how factors are spread over its range"
    )
    aspect: float = Field(
        1.0,
        ge=1.0,
        le=4.0,
        description="with scale: the picture's aspect ratio changes by up to this factor either "
        "way, log-uniformly",
    )
    category_max_ratio: Ratio | None = Field(
        None,
        description="try up to 10 crops until no class fills more than this share of the pixels "
        "that are not ignored; null: take the first",
        examples=[0.75],
    )
    class_crop: Unit | None = Field(
        None,
        description="share of crops around a random pixel of a random class that is there; null: "
        "0.5 where sampling is balanced, else 0",
        examples=[0.5],
    )
    class_weights: Annotated[tuple[Weight, ...] | None, ListToTuple] = Field(
        None,
        description="with class_crop: weight of each class in that draw; null: 1 / (share of the "
        "pixels) where sampling is balanced, else all alike",
        examples=[[0.5, 1, 4]],
        json_schema_extra={"contains": {"type": "number", "exclusiveMinimum": 0}},
    )
    rotate: float = Field(
        0.0, ge=0, le=180, description="largest angle by which crops are turned, degrees"
    )
    rotate_probability: Unit = Field(0.5, description="with rotate: share of samples turned")
    brightness: float = Field(
        0.0,
        ge=0,
        le=255,
        description="largest shift of colour values, of 0..255: 0, or 1 and more; mmsegmentation: "
        "32, torchvision's 0.25 is 64",
        json_schema_extra=_NOT_RELATIVE,
    )
    contrast: Unit = Field(
        0.0, description="largest relative change of contrast; mmsegmentation: 0.5"
    )
    saturation: Unit = Field(
        0.0, description="largest relative change of saturation; mmsegmentation: 0.5"
    )
    hue: float = Field(
        0.0,
        ge=0,
        le=180,
        description="largest turn of the hue, degrees: 0, or 1 and more; mmsegmentation: 36, "
        "torchvision's 0.1 is as much",
        json_schema_extra=_NOT_RELATIVE,
    )
    photometric_probability: Unit = Field(
        0.5,
        description="share of samples in which brightness changes; likewise contrast, saturation "
        "and hue, each by itself",
    )
    gray: Unit = Field(0.0, description="share of samples that lose their colour")
    blur: Unit = Field(0.0, description="share of samples blurred by a Gaussian")
    blur_sigma: Annotated[tuple[Sigma, Sigma], ListToTuple] = Field(
        (0.1, 2.0), description="range of the blur's standard deviation, pixels"
    )
    noise: Unit = Field(0.0, description="share of samples with Gaussian noise on their colours")
    noise_std: Annotated[tuple[Level, Level], ListToTuple] = Field(
        (2.0, 12.0), description="range of the noise's standard deviation, of 0..255"
    )
    jpeg: Unit = Field(0.0, description="share of samples with the artefacts of JPEG compression")
    jpeg_quality: Annotated[tuple[Quality, Quality], ListToTuple] = Field(
        (30, 90), description="range of the compression's quality"
    )
    erase: Unit = Field(
        0.0, description="share of samples that lose a rectangle (to mean colour and ignore_index)"
    )
    erase_area: Annotated[tuple[Ratio, Ratio], ListToTuple] = Field(
        (0.02, 0.33), description="range of the lost rectangle's area, as a share of the crop's"
    )
    erase_aspect: Annotated[tuple[Aspect, Aspect], ListToTuple] = Field(
        (0.3, 3.3),
        description="range of the lost rectangle's height over its width, log-uniform",
    )
    cutmix: Unit = Field(
        0.0, description="share of samples with a rectangle of another sample of their batch"
    )
    classmix: Unit = Field(
        0.0,
        description="share of samples with the pixels of half of the classes that another sample "
        "of their batch shows",
    )
    copy_paste: Unit = Field(
        0.0,
        description="share of samples with the pixels of some object classes of another sample of "
        "their batch",
    )
    copy_paste_classes: Annotated[
        Annotated[tuple[str, ...], Field(min_length=1)] | None, ListToTuple
    ] = Field(
        None,
        description="names of the classes that copy_paste takes; null: all but the first",
        examples=[["person", "car"]],
    )
    operators: Annotated[tuple[Operator, ...], ListToTuple] = Field(
        (),
        description="DALI operators of your own, each as module:function",
        examples=[["my_package.operators:solarize"]],
    )
    view: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="number of this view of the crops: another has the same crops with other "
        "colours, blur, noise, artefacts, erased rectangles and numbers for operators",
    )
    small: Literal["pad", "drop"] = Field(
        "pad",
        description="what becomes of pictures smaller than the crop: pad them at the bottom and "
        "the right (image with the mean, label with ignore_index), or drop them",
    )

    validation: Literal["center", "resize", "full", "slide"] = Field(
        "center",
        description="what validation shows: center, the crop there; resize, the whole picture, "
        "its shorter side resized; full, the whole picture as it is; slide, that in overlapping "
        "tiles of crop_size",
    )
    shorter_side: CropSide | None = Field(
        None,
        description="with validation resize: length of the shorter side, pixels; null: by "
        "resize_shorter, resize_longer or resize_to, or else the smaller side of crop_size",
        examples=[512],
    )
    stored_labels: bool = Field(
        False,
        description="with validation resize: labels are those of the pictures as stored, and only "
        "the images are resized; for scores that are scaled back before they are compared",
    )
    pad_multiple: int = Field(
        32,
        ge=1,
        le=4096,
        description="with validation resize and full: batches are padded to a multiple of this, "
        "pixels",
    )
    stride: Annotated[tuple[CropSide, CropSide] | None, ListToTuple] = Field(
        None,
        description="with validation slide: from tile to tile, height and width, pixels; null: 2/3 "
        "of crop_size",
        examples=[[213, 320]],
    )

    @field_validator(
        "scale", "blur_sigma", "noise_std", "jpeg_quality", "erase_area", "erase_aspect"
    )
    @classmethod
    def _ascending(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value is not None and value[0] > value[1]:
            raise ValueError("expected the smaller number first")
        return value

    @field_validator("brightness", "hue")
    @classmethod
    def _not_relative(cls, value: float, info: ValidationInfo) -> float:
        whole, unit = (255, "levels") if info.field_name == "brightness" else (360, "degrees")
        if 0 < value < 1:
            raise ValueError(f"expected {unit}: a relative {value:g} is {value * whole:g} here")
        return value

    @field_validator("class_weights")
    @classmethod
    def _can_be_drawn(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and not 0 < sum(value) < math.inf:
            raise ValueError("expected weights whose sum is finite and more than 0")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> AugmentConfig:
        # 0.34, 0.56 and 0.1 sum up to 1 and a little in floating point
        if self.cutmix + self.classmix + self.copy_paste > 1 + 1e-9:
            raise ValueError("the shares cutmix, classmix and copy_paste sum up to more than 1")
        if self.resize_to and (self.resize_shorter or self.resize_longer):
            raise ValueError("resize_to excludes resize_shorter and resize_longer")
        if self.resizes and self.small == "drop":
            raise ValueError("small: drop goes by sizes as stored, which resize_* changes")
        if self.stored_labels and self.validation != "resize":
            raise ValueError("stored_labels is for validation: resize; others do not resize labels")
        if self.stride and any(s > c for s, c in zip(self.stride, self.crop_size, strict=True)):
            raise ValueError("stride is larger than crop_size: pixels would be left out")
        return self

    @property
    def resizes(self) -> bool:
        """Whether pictures are resized before they are scaled and cropped."""
        return any(getattr(self, name) for name in _RESIZES)

    def shows_whole(self, *, training: bool) -> bool:
        """Return whether batches are of whole pictures instead of crops."""
        return not training and self.validation != "center"

    def without_chance(self) -> AugmentConfig:
        """Return what is left of it in validation."""
        kept = ["crop_size", "small", "validation", "shorter_side", "pad_multiple", "stride"]
        kept += [*_RESIZES, "stored_labels"]
        return AugmentConfig(flip=0.0, **{name: getattr(self, name) for name in kept})
