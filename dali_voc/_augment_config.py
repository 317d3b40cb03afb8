"""Section `augment` of the configuration: these keys, behind those of the place and the picture."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.config import JsonDict

from dali_voc._augment_picture import PictureKeys
from dali_voc._augment_place import RESIZES, CropSide
from dali_voc._config_section import ListToTuple, Unit, requires

__all__ = ["KEPT_IN_VALIDATION", "OF_VALIDATION", "AugmentConfig"]

# keys without meaning in training, and those that have one in validation
OF_VALIDATION = ("validation", "shorter_side", "stored_labels", "pad_multiple", "stride")
KEPT_IN_VALIDATION = ("crop_size", "small", *RESIZES, *OF_VALIDATION)

_NULL: JsonDict = {"type": "null"}


def _module_and_function(value: str) -> str:
    if not re.fullmatch(r"[\w.]+:\w+", value):
        raise ValueError("expected module:function, such as my_package.operators:posterize")
    return value


Operator = Annotated[
    str,
    AfterValidator(_module_and_function),
    WithJsonSchema({"type": "string", "pattern": r"^[\w.]+:\w+$"}),
]


class AugmentConfig(PictureKeys):
    """What happens to a pair on the way."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                *(requires("resize_to", {"type": "array"}, key, _NULL) for key in RESIZES[:2]),
                *(requires("small", {"const": "drop"}, key, _NULL) for key in RESIZES),
                {
                    "if": {
                        "properties": {"stored_labels": {"const": True}},
                        "required": ["stored_labels"],
                    },
                    "then": {
                        "properties": {"validation": {"enum": ["resize", "slide"]}},
                        "required": ["validation"],
                    },
                },
            ]
        }
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
        "the right (image with the mean, label with ignore_index); or drop those that are as "
        "stored, also in validation center",
    )

    validation: Literal["center", "resize", "full", "slide"] = Field(
        "center",
        description="what validation shows: center, the crop there; resize, the whole picture, "
        "resized; full, the whole picture as it is stored; slide, overlapping tiles of "
        "crop_size of that, or with resize_* or shorter_side of the resized picture",
    )
    shorter_side: CropSide | None = Field(
        None,
        description="with validation resize and slide: length of the shorter side, pixels; null: "
        "by resize_shorter, resize_longer or resize_to, or else, with resize, the smaller side of "
        "crop_size",
        examples=[512],
    )
    stored_labels: bool = Field(
        False,
        description="with validation resize and slide: labels are those of the pictures as stored, "
        "and only the images are resized; for scores that are scaled back before they are compared",
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

    @model_validator(mode="after")
    def _fits_together(self) -> AugmentConfig:
        # 0.34, 0.56 and 0.1 sum up to 1 and a little in floating point
        if self.cutmix + self.classmix + self.copy_paste > 1 + 1e-9:
            raise ValueError("the shares cutmix, classmix and copy_paste sum up to more than 1")
        if self.transpose and self.crop_size[0] != self.crop_size[1]:
            raise ValueError("transpose needs a crop_size of as many rows as columns")
        if self.resize_to and (self.resize_shorter or self.resize_longer):
            raise ValueError("resize_to excludes resize_shorter and resize_longer")
        if self.resizes and self.small == "drop":
            raise ValueError("small: drop goes by sizes as stored, which resize_* changes")
        if self.stored_labels and self.validation not in ("resize", "slide"):
            raise ValueError(
                f"stored_labels is for validation: resize and slide, found {self.validation}"
            )
        if self.stride and any(s > c for s, c in zip(self.stride, self.crop_size, strict=True)):
            raise ValueError("stride is larger than crop_size: pixels would be left out")
        return self

    def shows_whole(self, *, training: bool) -> bool:
        """Return whether batches are of whole pictures instead of crops."""
        return not training and self.validation != "center"

    def without_chance(self) -> AugmentConfig:
        """Return what is left of it in validation."""
        kept = {name: getattr(self, name) for name in KEPT_IN_VALIDATION}
        return AugmentConfig(flip=0.0, **kept)
