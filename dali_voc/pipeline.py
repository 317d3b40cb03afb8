"""The DALI graph, and nothing else: no random operator, no state, one graph for CPU and GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

# nvidia.dali is imported with this module, and this module only when a loader is built.
from nvidia.dali import Pipeline, fn, types

from dali_voc.augment import parameter_names
from dali_voc.config import AugmentConfig, Config, LabelsConfig, NormalizeConfig
from dali_voc.labels import LabelTables
from dali_voc.ops import ClassCrop, decode_label, normalize_crop

__all__ = ["Source", "build_decode_only_pipeline", "build_label_pipeline", "build_pipeline"]

# What the graph asks for once per batch: image paths and label paths (each a list of 1D uint8), and
# the arrays of dali_voc.augment.draw_parameters.
Source = Callable[[], tuple[Any, ...]]


def build_pipeline(
    source: Source,
    *,
    config: Config,
    augment: AugmentConfig,
    num_classes: int,
    tables: LabelTables,
    batch_size: int,
    device: Literal["cpu", "cuda"],
    device_id: int | None,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that turns what `source` names into batches.

    The label leads: its operator decides the window, and the image is cut by that same window.

    Args:
        source: called once per batch.
        config: sections `labels` and `normalize` are used.
        augment: what happens to a sample, in training or in validation.
        num_classes: length of the class list.
        tables: what label values mean.
        batch_size: of the largest batch.
        device: where batches end up.
        device_id: the GPU's number; None on the CPU.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with two outputs: images, float32 [n, 3, crop height, crop width],
        normalised; labels, int64 [n, crop height, crop width].
    """
    on_gpu = device == "cuda"
    labels = config.labels
    pipeline = _empty_pipeline(batch_size, device_id, threads, prefetch)
    with pipeline:
        names = ("image", "label", *parameter_names(augment))
        given = dict(
            zip(names, fn.external_source(source=source, num_outputs=len(names)), strict=True)
        )
        encoded = _read(given["image"])
        nodes = decode_label(
            _read(given["label"]),
            given["label"],
            encoded,
            tables=tables,
            crop_size=augment.crop_size,
            position=given["position"],
            max_ratio=augment.category_max_ratio or 1.0,
            scale=given.get("scale"),
            class_crop=_class_crop(augment, given.get("class_draw"), num_classes),
            flip=given["flip"],
            vertical_flip=given.get("vertical_flip", 0),
            # as stored, not as EXIF would turn it: labels are drawn on the pixels as stored
            image_shape=fn.peek_image_shape(encoded, adjust_orientation=False),
            palette=labels.palette,
            unknown="error" if labels.unknown == "error" else labels.ignore_index,
            ignore_index=labels.ignore_index,
            # bytes travel to the GPU and grow there
            dtype="uint8" if on_gpu else "int64",
        )
        image: Any = fn.decoders.image_slice(
            encoded,
            device="mixed" if on_gpu else "cpu",
            start=nodes.start,
            shape=nodes.shape,
            axes=(0, 1),
            adjust_orientation=False,
            output_type=types.RGB,
        )
        if nodes.roi:
            roi_start, roi_end, size = nodes.roi
            image = fn.resize(
                image,
                size=size,
                roi_start=roi_start,
                roi_end=roi_end,
                interp_type=types.INTERP_LINEAR,
                antialias=True,
            )
        finish = _finish_on_gpu if on_gpu else _finish_on_cpu
        image = finish(image, given, augment=augment, normalize=config.normalize)
        label = fn.cast(nodes.label.gpu(), dtype=types.INT64) if on_gpu else nodes.label
        pipeline.set_outputs(image, label)
    pipeline.build()
    return pipeline


def _empty_pipeline(
    batch_size: int, device_id: int | None, threads: int, prefetch: int
) -> Pipeline:
    return Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )


def _in_bytes(values: tuple[float, float, float]) -> list[float]:
    """Return means or deviations of values in 0..1 as those of 0..255."""
    return [255 * value for value in values]


def _read(path: Any) -> Any:
    # A mapped file that somebody truncates kills the process (SIGBUS); a read one is only short.
    return fn.io.file.read(path, dont_use_mmap=True)


def _class_crop(augment: AugmentConfig, draw: Any, num_classes: int) -> ClassCrop | None:
    if draw is None:
        return None
    weights = augment.class_weights or (1.0,) * num_classes
    return ClassCrop(draw=draw, probability=augment.class_crop or 0.0, weights=weights)


def _finish_on_cpu(
    image: Any, given: dict[str, Any], *, augment: AugmentConfig, normalize: NormalizeConfig
) -> Any:
    """Recolour, normalise, mirror and pad in one pass, by an operator of our own."""
    return normalize_crop(
        image,
        crop_size=augment.crop_size,
        mean=_in_bytes(normalize.mean),
        std=_in_bytes(normalize.std),
        flip=given["flip"],
        vertical_flip=given.get("vertical_flip", 0),
        color=given.get("color"),
    )


def _finish_on_gpu(
    image: Any, given: dict[str, Any], *, augment: AugmentConfig, normalize: NormalizeConfig
) -> Any:
    """Do the same by DALI's own operators."""
    if "color" in given:
        # to float, and back with saturation
        image = fn.cast(fn.coord_transform(image, MT=given["color"]), dtype=types.UINT8)
        image = fn.reshape(image, layout="HWC")
    image = fn.crop_mirror_normalize(
        image,
        crop=augment.crop_size,
        crop_pos_y=0.0,
        crop_pos_x=0.0,
        out_of_bounds_policy="pad",
        fill_values=0.0,  # after normalisation: the mean colour
        mirror=given["flip"],
        mean=_in_bytes(normalize.mean),
        std=_in_bytes(normalize.std),
        dtype=types.FLOAT,
        output_layout="CHW",
    )
    if "vertical_flip" in given:
        image = fn.flip(image, horizontal=0, vertical=given["vertical_flip"])
    return image


def build_decode_only_pipeline(
    source: Source, *, batch_size: int, device_id: int | None, threads: int, prefetch: int
) -> Pipeline:
    """Build the pipeline that only decodes whole images: the bound of what DALI allows.

    Args:
        source: as for `build_pipeline`; only the image paths are used.
        batch_size: of the largest batch.
        device_id: the GPU's number; None to decode on the CPU.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: uint8 pictures [height, width, 3] of mixed sizes.
    """
    pipeline = _empty_pipeline(batch_size, device_id, threads, prefetch)
    with pipeline:
        image_path = fn.external_source(source=lambda: source()[0])
        device = "cpu" if device_id is None else "mixed"
        pipeline.set_outputs(fn.decoders.image(_read(image_path), device=device))
    pipeline.build()
    return pipeline


def build_label_pipeline(
    source: Source,
    *,
    labels: LabelsConfig,
    tables: LabelTables,
    void: int,
    batch_size: int,
    threads: int,
    prefetch: int,
) -> Pipeline:
    """Build the pipeline that only reads whole labels, on the CPU.

    Args:
        source: as for `build_pipeline`; only the label paths are used.
        labels: `palette` and `unknown` are used.
        tables: what label values mean.
        void: index of what has no class, as in `tables`.
        batch_size: of the largest batch.
        threads: CPU threads.
        prefetch: batches in the works at once.

    Returns:
        A built pipeline with one output: class indices [height, width] of mixed sizes, uint8, or
        int32 where `void` does not fit.
    """
    pipeline = _empty_pipeline(batch_size, None, threads, prefetch)
    with pipeline:
        label_path = fn.external_source(source=lambda: source()[1])
        nodes = decode_label(
            _read(label_path),
            label_path,
            tables=tables,
            crop_size=None,
            palette=labels.palette,
            unknown="error" if labels.unknown == "error" else void,
            ignore_index=void,
            dtype="uint8" if void <= 255 else "int32",
        )
        pipeline.set_outputs(nodes.label)
    pipeline.build()
    return pipeline
