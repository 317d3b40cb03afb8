"""Section `augment`: which part of a picture is shown, in which size and shape."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from dali_voc._config_section import ListToTuple, Section, Unit, ascending

__all__ = ["RESIZES", "CropSide", "PlaceKeys", "Ratio"]

RESIZES = ("resize_shorter", "resize_longer", "resize_to")

CropSide = Annotated[int, Field(ge=1, le=16384)]
Factor = Annotated[float, Field(ge=0.05, le=20)]
Ratio = Annotated[float, Field(gt=0, le=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class PlaceKeys(Section):
    """What happens to image and label alike."""

    crop_size: Annotated[tuple[CropSide, CropSide], ListToTuple] = Field(
        (320, 480), description="height and width of the output, pixels"
    )
    flip: Unit = Field(0.5, description="share of training samples mirrored left to right")
    vertical_flip: Unit = Field(0.0, description="share of training samples mirrored top to bottom")
    transpose: Unit = Field(
        0.0,
        description="share of training samples whose rows and columns change places; for a "
        "crop_size that is square. Beside flip and vertical_flip, 0.5 each, all eight symmetries "
        "of a square are alike",
    )
    resize_shorter: CropSide | None = Field(
        None,
        description="pixels that the shorter side of every picture has before it is scaled and "
        "cropped, or fewer for resize_longer; not with validation full; null: as stored",
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
    scale: Annotated[tuple[Factor, Factor] | None, ListToTuple, AfterValidator(ascending)] = Field(
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
        description="the picture's aspect ratio changes by up to this factor either way, "
        "log-uniformly",
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
    class_crop_place: Literal["center", "anywhere"] = Field(
        "center",
        description="with class_crop: where in the crop that pixel lies: center, in the middle, as "
        "far as the picture goes; anywhere, every place that shows it is equally likely",
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

    @field_validator("class_weights")
    @classmethod
    def _can_be_drawn(cls, value: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if value is not None and sum(value) == 0:
            raise ValueError("expected weights whose sum is more than 0")
        if value is not None and sum(value) == math.inf:
            raise ValueError("expected weights whose sum is finite")
        return value

    @property
    def resizes(self) -> bool:
        """Whether pictures are resized before they are scaled and cropped."""
        return any(getattr(self, name) for name in RESIZES)
