"""Graph: pairs of files become images and labels.

What becomes of a decoded window is in `_placement` and `_distortions`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

import numpy as np
from nvidia.dali import fn, types
from nvidia.dali.pipeline import do_not_convert

from dali_voc._cache import Cache
from dali_voc._label_reading import LabelReading
from dali_voc.config import AugmentConfig, Config
from dali_voc.ops import (
    CacheNodes,
    LabelNodes,
    decode_label,
    keep_window,
    read_record,
)
from dali_voc.ops._types import dali_type
from dali_voc.pipeline._distortions import distort, distorts
from dali_voc.pipeline._label import meaning_of, read_label, window_of
from dali_voc.pipeline._placement import Encoded, Form, erase, place_by_dali, place_fused
from dali_voc.pipeline._resizing import resize_for_crops, resize_for_whole
from dali_voc.pipeline._user_operators import UserOperator

__all__ = ["PairGraph", "plain_python"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


# AutoGraph, which the conditionals need, does not know all of Python
plain_python = cast("Callable[[_Function], _Function]", do_not_convert)


@dataclass(frozen=True, kw_only=True)
class PairGraph:
    """The nodes of the graph. The label leads: it decides the window, and the image follows.

    Attributes:
        config: see `build_pipeline`, as those that are not described here.
        backend: of what is done on the GPU; "cpu" also in tests of its graph.
        operators: the user's own.
        form: of the images in the end.
        plain: of the images while they are being distorted.
        pads: whether whole pictures are padded to one size.
        strict: whether damage that libjpeg only warns of is an error, on the CPU.
    """

    config: Config
    augment: AugmentConfig
    reading: LabelReading
    on_gpu: bool
    backend: Literal["cpu", "gpu"]
    hw_decoder_load: float | None
    cache: Cache | None
    operators: tuple[UserOperator, ...]
    form: Form
    plain: Form
    pads: bool = True
    strict: bool = False

    def show_crop(self, given: dict[str, Any]) -> tuple[Any, Any]:
        """Return image and label of one crop per sample."""
        augment, form = self.augment, self.form
        encoded, is_kept = self._read_image(given)
        shape = self._image_shape(encoded)
        decoded = self._decode_label(given, encoded, shape, crop_size=augment.crop_size)
        image = self._decode_image(given, encoded, is_kept, decoded)
        label = self._to_device(decoded.label)
        bytes_first = bool(self.operators) or distorts(given)
        image = self._place(
            image,
            **self._files(given, encoded, decoded),
            crop_size=augment.crop_size,
            form=self.plain if bytes_first else form,
            roi=decoded.roi,
            flip=given["flip"],
            vertical_flip=given.get("vertical_flip"),
            rotation=given.get("rotation"),
            color=given.get("color"),
        )
        if bytes_first:
            image = distort(image, given, crop_size=augment.crop_size)
            for place, operator in enumerate(self.operators):
                numbers = operator.numbers(given["user"], place)
                # not a method: AutoGraph is to see the user's own function
                function = operator.function
                result = function(image, label, *numbers)
                image, label = operator.check(
                    result, crop_size=augment.crop_size, label_dtype=self.reading.dtype
                )
            image = self._place(image, crop_size=augment.crop_size, form=form)
        if "erase_start" in given:
            where = {"anchor": given["erase_start"], "shape": given["erase_shape"]}
            image = erase(image, **where, form=form)
            ignored = float(self.reading.ignore_index)
            label = fn.erase(label, **where, axis_names="HW", fill_value=ignored)
        if "transpose" in given:
            image, label = self._transpose(given["transpose"], image, label)
        return image, self._cast_label(label)

    def _transpose(self, turned: Any, image: Any, label: Any) -> tuple[Any, Any]:
        """Let rows and columns change places where `turned`; the layouts stay the same."""
        if turned:
            rows_and_columns = [1, 0, 2] if self.form.channels_last else [0, 2, 1]
            image = fn.transpose(image, perm=rows_and_columns, transpose_layout=False)
            label = fn.transpose(label, perm=[1, 0], transpose_layout=False)
        return image, label

    def show_whole(self, given: dict[str, Any]) -> tuple[Any, Any, Any, Any]:
        """Return image and label of whole pictures, padded, their sizes, and those as stored."""
        augment, form = self.augment, self.form
        encoded, is_kept = self._read_image(given)
        shape = self._image_shape(encoded)
        decoded = self._decode_label(given, encoded, shape, crop_size=None)
        image = self._decode_image(given, encoded, is_kept, decoded)
        files = self._files(given, encoded, decoded)
        image = self._place(image, **files, crop_size=None, form=form, roi=decoded.roi)
        size = decoded.label.shape()
        label = decoded.label
        if augment.stored_labels:
            label = self._decode_label(given, encoded, shape, crop_size=None, resizes=False).label
        label = self._to_device(label)
        multiple = augment.pad_multiple if augment.validation != "slide" else 1
        label = self._pad(label, multiple, [float(self.reading.ignore_index)])
        image = self._pad(image, multiple, list(form.fill), channels_last=form.channels_last)
        return image, self._cast_label(label), size, shape[:2]

    @plain_python
    def _read_image(self, given: dict[str, Any]) -> tuple[Any, Any]:
        """Return the file's bytes, and where decoded pictures are kept, whether this one is."""
        options: dict[str, Any] = {
            "record": given.get("image_record"),
            "about": "its image",
            "picture": given.get("sample"),
        }
        pictures = self._picture_nodes(given)
        if pictures:
            encoded, is_kept = read_record(
                given["image"], cache=pictures, tells_kept=True, **options
            )
            return encoded, is_kept
        return read_record(given["image"], cache=self._cache_nodes(given), **options), None

    @plain_python
    def _cache_nodes(self, given: dict[str, Any]) -> CacheNodes | None:
        cache = self.cache
        if cache is None:
            return None
        return CacheNodes(
            handle=cache.handle,
            num_samples=cache.num_samples,
            keep=cache.keep,
            sample=given["sample"],
        )

    @plain_python
    def _picture_nodes(self, given: dict[str, Any]) -> CacheNodes | None:
        """Return what is known of the pictures in the GPU's memory."""
        nodes = self._cache_nodes(given)
        if nodes is None or self.cache is None or self.cache.pictures is None:
            return None
        return dataclasses.replace(nodes, handle=self.cache.pictures.handle)

    @plain_python
    def _to_device(self, node: Any) -> Any:
        return node.gpu() if self.backend == "gpu" else node

    @plain_python
    def _place(self, image: Any, **options: Any) -> Any:
        by_dali = self.on_gpu and self.config.loader.gpu_tail == "dali"
        return (place_by_dali if by_dali else place_fused)(image, **options)

    def _image_shape(self, encoded: Any) -> Any:
        # as stored, not as EXIF would turn it: labels are drawn on the pixels as stored
        return fn.peek_image_shape(encoded, adjust_orientation=False)

    @plain_python
    def _decode_label(
        self,
        given: dict[str, Any],
        encoded: Any,
        shape: Any,
        *,
        crop_size: tuple[int, int] | None,
        resizes: bool = True,
    ) -> LabelNodes:
        augment, cache = self.augment, self._cache_nodes(given)
        resize = None
        if resizes:
            resize = resize_for_whole(augment) if crop_size is None else resize_for_crops(augment)
        return decode_label(
            read_label(given, cache=cache),
            given["label"],
            encoded,
            crop_size=crop_size,
            resize=resize,
            image_shape=shape,
            cache=cache,
            picture=given.get("sample"),
            **meaning_of(given, self.reading),
            **window_of(given, augment, num_classes=self.reading.num_classes),
        )

    def _decode_image(
        self, given: dict[str, Any], encoded: Any, is_kept: Any, decoded: LabelNodes
    ) -> Any:
        """Return the window, or on the CPU, of files that `_files` gives, anything."""
        if self.on_gpu:
            if is_kept is None:
                return self._decode_window(encoded, decoded)
            if is_kept:
                image = types.Constant(
                    np.zeros((1, 1, 3), np.uint8), layout="HWC", device=self.backend
                )
            else:
                image = self._decode_whole(encoded)
            return self._keep_window(given, image, is_kept, decoded)
        if decoded.is_common:
            image = types.Constant(np.zeros((1, 1, 3), np.uint8), layout="HWC")
        else:
            image = self._decode_window(encoded, decoded)
        return image

    @plain_python
    def _keep_window(
        self, given: dict[str, Any], image: Any, is_kept: Any, decoded: LabelNodes
    ) -> Any:
        nodes = self._picture_nodes(given)
        assert nodes is not None
        assert self.cache is not None
        assert self.cache.pictures is not None
        return keep_window(
            image,
            cache=nodes,
            memory=self.cache.pictures.address,
            is_kept=is_kept,
            start=decoded.start,
            shape=decoded.shape,
        )

    @plain_python
    def _files(self, given: dict[str, Any], encoded: Any, decoded: LabelNodes) -> dict[str, Any]:
        if self.on_gpu:
            return {}
        files = Encoded(
            files=encoded,
            path=given["label"],
            start=decoded.start,
            shape=decoded.shape,
            is_common=decoded.is_common,
            strict=self.strict,
            cache=self._cache_nodes(given),
            picture=given.get("sample"),
        )
        return {"encoded": files}

    @plain_python
    def _decode_window(self, encoded: Any, decoded: LabelNodes) -> Any:
        window = {"start": decoded.start, "shape": decoded.shape, "axes": (0, 1)}
        if self.on_gpu and self.config.loader.jpeg_fancy_upsampling:
            # of a window alone, nvJPEG before 13.2 gets the edges wrong
            return fn.slice(self._decode_whole(encoded), **window)
        return fn.decoders.image_slice(encoded, **window, **self._decoder_options())

    @plain_python
    def _decode_whole(self, encoded: Any) -> Any:
        return fn.decoders.image(encoded, **self._decoder_options())

    def _decoder_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"adjust_orientation": False, "output_type": types.RGB}
        if self.backend == "cpu":
            return options | {"device": "cpu"}
        options["device"] = "mixed"
        if self.hw_decoder_load is not None:
            options["hw_decoder_load"] = self.hw_decoder_load
        if self.config.loader.jpeg_fancy_upsampling:
            options["jpeg_fancy_upsampling"] = True
        return options

    def _cast_label(self, label: Any) -> Any:
        if not self.on_gpu:
            return label
        return fn.cast(label, dtype=dali_type(self.config.labels.dtype))

    def _pad(
        self, node: Any, multiple: int, fill: list[float], *, channels_last: bool = False
    ) -> Any:
        """Pad to the largest of the batch, and that to a multiple, if that is wanted."""
        if not self.pads:
            return node
        if len(set(fill)) == 1:
            return fn.pad(node, axis_names="HW", align=[multiple, multiple], fill_value=fill[0])
        # one fill value for all channels: 0, about the colour that is to fill
        color = types.Constant(
            np.array(fill, np.int16).reshape((1, 1, 3) if channels_last else (3, 1, 1)),
            device=self.backend,
        )
        layout = "HWC" if channels_last else "CHW"
        shifted = fn.reinterpret(fn.cast(node, dtype=types.INT16) - color, layout=layout)
        padded = fn.pad(shifted, axis_names="HW", align=[multiple, multiple], fill_value=0)
        return fn.cast(padded + color, dtype=types.UINT8)
