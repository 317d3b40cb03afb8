"""Section `augment`: what happens to the image alone, and what it loses."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from dali_voc._augment_place import PlaceKeys, Ratio
from dali_voc._config_section import ListToTuple, Unit, ascending

__all__ = ["PictureKeys"]

Sigma = Annotated[float, Field(ge=0.05, le=20)]
Level = Annotated[float, Field(ge=0, le=255)]
Quality = Annotated[int, Field(ge=1, le=100)]
Aspect = Annotated[float, Field(ge=0.05, le=20)]
_NOT_RELATIVE: JsonDict = {"not": {"exclusiveMinimum": 0, "exclusiveMaximum": 1}}


class PictureKeys(PlaceKeys):
    """Colours, blur, noise, artefacts and lost rectangles, behind the keys of the place."""

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
    blur_sigma: Annotated[tuple[Sigma, Sigma], ListToTuple, AfterValidator(ascending)] = Field(
        (0.1, 2.0), description="range of the blur's standard deviation, pixels"
    )
    noise: Unit = Field(0.0, description="share of samples with Gaussian noise on their colours")
    noise_std: Annotated[tuple[Level, Level], ListToTuple, AfterValidator(ascending)] = Field(
        (2.0, 12.0), description="range of the noise's standard deviation, of 0..255"
    )
    jpeg: Unit = Field(0.0, description="share of samples with the artefacts of JPEG compression")
    jpeg_quality: Annotated[tuple[Quality, Quality], ListToTuple, AfterValidator(ascending)] = (
        Field((30, 90), description="range of the compression's quality")
    )
    erase: Unit = Field(
        0.0, description="share of samples that lose a rectangle (to mean colour and ignore_index)"
    )
    erase_area: Annotated[tuple[Ratio, Ratio], ListToTuple, AfterValidator(ascending)] = Field(
        (0.02, 0.33), description="range of the lost rectangle's area, as a share of the crop's"
    )
    erase_aspect: Annotated[tuple[Aspect, Aspect], ListToTuple, AfterValidator(ascending)] = Field(
        (0.3, 3.3),
        description="range of the lost rectangle's height over its width, log-uniform",
    )

    @field_validator("brightness", "hue")
    @classmethod
    def _not_relative(cls, value: float, info: ValidationInfo) -> float:
        whole, unit = (255, "levels") if info.field_name == "brightness" else (360, "degrees")
        if 0 < value < 1:
            raise ValueError(f"expected {unit}: a relative {value:g} is {value * whole:g} here")
        return value
