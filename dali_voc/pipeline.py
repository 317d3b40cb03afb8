"""The DALI graph, and nothing else: no random operator, no state, one graph for CPU and GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# nvidia.dali is imported with this module, and this module only when a loader is built.
from nvidia.dali import Pipeline, fn, types

from dali_voc.config import Config
from dali_voc.labels import LabelTables
from dali_voc.ops import decode_label, normalize_crop

__all__ = ["Source", "build_decode_only_pipeline", "build_pipeline"]

# What the graph asks for once per batch: image paths and label paths (each a list of 1D uint8),
# crop positions (float32 [n, 2], see decode_label), flips (int32 [n]).
Source = Callable[
    [],
    tuple[
        list[npt.NDArray[np.uint8]],
        list[npt.NDArray[np.uint8]],
        npt.NDArray[np.float32],
        npt.NDArray[np.int32],
    ],
]


def build_pipeline(
    source: Source,
    *,
    config: Config,
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
        config: sections `augment`, `labels` and `normalize` are used.
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
    augment, labels = config.augment, config.labels
    pipeline = Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )
    with pipeline:
        image_path, label_path, position, flip = fn.external_source(source=source, num_outputs=4)
        encoded = fn.io.file.read(image_path)
        label, start, shape = decode_label(
            fn.io.file.read(label_path),
            label_path,
            encoded,
            tables=tables,
            crop_size=augment.crop_size,
            position=position,
            flip=flip,
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
            start=start,
            shape=shape,
            axes=(0, 1),
            adjust_orientation=False,
            output_type=types.RGB,
        )
        mean = [255 * value for value in config.normalize.mean]
        std = [255 * value for value in config.normalize.std]
        if on_gpu:
            image = fn.crop_mirror_normalize(
                image,
                crop=augment.crop_size,
                crop_pos_y=0.0,
                crop_pos_x=0.0,
                out_of_bounds_policy="pad",
                fill_values=0.0,  # after normalisation: the mean colour
                mirror=flip,
                mean=mean,
                std=std,
                dtype=types.FLOAT,
                output_layout="CHW",
            )
            label = fn.cast(label.gpu(), dtype=types.INT64)
        else:
            image = normalize_crop(
                image, crop_size=augment.crop_size, mean=mean, std=std, flip=flip
            )
        pipeline.set_outputs(image, label)
    pipeline.build()
    return pipeline


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
    pipeline = Pipeline(
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )
    with pipeline:
        image_path = fn.external_source(source=lambda: source()[0])
        device = "cpu" if device_id is None else "mixed"
        pipeline.set_outputs(fn.decoders.image(fn.io.file.read(image_path), device=device))
    pipeline.build()
    return pipeline
