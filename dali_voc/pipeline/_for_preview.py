"""Graph: pairs as stored, and which window of them `build_pipeline` would cut."""

from __future__ import annotations

from typing import Any

from nvidia.dali import Pipeline, fn, types

from dali_voc._label_reading import LabelReading
from dali_voc.augment import parameter_names
from dali_voc.config import AugmentConfig
from dali_voc.ops import decode_label, read_record
from dali_voc.pipeline._inputs import Source, empty_pipeline
from dali_voc.pipeline._label import meaning_of, read_label, window_of
from dali_voc.pipeline._resizing import resize_for_crops

__all__ = ["build_stored_pipeline"]

# of dali_voc.augment.draw_parameters, what decides the window
_DECIDES = ("position", "flip", "vertical_flip", "scale", "class_draw", "rotation")


def build_stored_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    reading: LabelReading,
    augment: AugmentConfig,
    threads: int,
) -> Pipeline:
    """Build the pipeline that shows what crops are cut from, on the CPU, one pair at a time.

    Args:
        source: as for `build_pipeline`.
        columns: what the source gives first.
        reading: how labels are read.
        augment: as for `build_pipeline`.
        threads: CPU threads.

    Returns:
        A built pipeline with four outputs: image, uint8 [height, width, 3]; class indices of
        `reading.dtype`, [height, width]; start and end (y, x) of the crop's window in them, float32
        [2], without what lies outside the picture.
    """
    pipeline = empty_pipeline(1, None, threads, 1)
    # DALI warns of what nobody uses
    used = (*columns, *_DECIDES)
    names = (*columns, *parameter_names(augment))
    places = {name: place for place, name in enumerate(names) if name in used}

    def some() -> list[Any]:
        arrays = source()
        return [arrays[place] for place in places.values()]

    with pipeline:
        nodes = fn.external_source(source=some, num_outputs=len(places))
        given: dict[str, Any] = dict(zip(places, nodes, strict=True))
        encoded = read_record(given["image"], record=given.get("image_record"), about="its image")
        label = read_label(given)
        common = {
            "image_shape": fn.peek_image_shape(encoded, adjust_orientation=False),
            **meaning_of(given, reading),
        }
        whole = decode_label(label, given["label"], crop_size=None, **common)
        cut = decode_label(
            label,
            given["label"],
            crop_size=augment.crop_size,
            resize=resize_for_crops(augment),
            **window_of(given, augment, num_classes=reading.num_classes),
            **common,
        )
        start, shape = (fn.cast(node, dtype=types.FLOAT) for node in (cut.start, cut.shape))
        begin, end = start, start + shape
        if cut.roi is not None:
            begin, end = start + cut.roi[0], start + cut.roi[1]
        image = fn.decoders.image(
            encoded, device="cpu", adjust_orientation=False, output_type=types.RGB
        )
        pipeline.set_outputs(image, whole.label, begin, end)
    pipeline.build()
    return pipeline
