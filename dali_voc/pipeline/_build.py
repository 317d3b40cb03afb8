"""From a source of file names to a pipeline that is built."""

from __future__ import annotations

import functools
import warnings
from typing import Any

from nvidia.dali import Pipeline, fn, pipeline_def

from dali_voc._cache import Cache
from dali_voc._label_reading import LabelReading
from dali_voc._worker import run_in_thread
from dali_voc.augment import parameter_names
from dali_voc.config import AugmentConfig, Config
from dali_voc.errors import ConfigError
from dali_voc.pipeline._forks import keep_in_children
from dali_voc.pipeline._inputs import Source
from dali_voc.pipeline._memory import keep_buffers
from dali_voc.pipeline._pairs import PairGraph, plain_python
from dali_voc.pipeline._placement import Form
from dali_voc.pipeline._temporary import check_temporary_files, remove_temporary_files
from dali_voc.pipeline._user_operators import UserOperator, failure_of_theirs

__all__ = ["build_pipeline"]


def build_pipeline(
    source: Source,
    *,
    columns: tuple[str, ...],
    config: Config,
    augment: AugmentConfig,
    whole: bool,
    reading: LabelReading,
    batch_size: int,
    on_gpu: bool,
    device_id: int | None,
    threads: int,
    prefetch: int,
    hw_decoder_load: float | None = None,
    cache: Cache | None = None,
    tells_samples: bool = False,
    pads: bool = True,
    strict: bool = False,
) -> Pipeline:
    """Build the pipeline that turns what `source` names into batches.

    The label leads: its operator decides the window, and the image is cut by that same window.

    Args:
        source: called once per batch.
        columns: what the source gives first.
        config: sections `normalize`, `loader` and, for labels on their way from a GPU, `labels` are
            used.
        augment: what happens to a sample, in training or in validation.
        whole: show whole pictures, see `augment.validation`, instead of crops.
        reading: how labels are read; on their way to a GPU, the narrower the better.
        batch_size: of the largest batch.
        on_gpu: whether the graph is a GPU's.
        device_id: the GPU's number; None on the CPU, where a GPU's graph runs in all its parts too.
        threads: CPU threads.
        prefetch: batches in the works at once.
        hw_decoder_load: share of the JPEGs for the GPU's JPEG engines, 0 to 1; None for DALI's
            default. Without meaning on the CPU.
        cache: where samples are kept.
        tells_samples: whether the source gives the samples' numbers, for the cache, or as
            neighbours in a batch may be crops of one sample, which is then decoded once.
        pads: whether whole pictures are padded to one size; else each has its own.
        strict: whether damage to a JPEG that libjpeg warns of and goes on after is an error, on the
            CPU; such files are read otherwise.

    Returns:
        A built pipeline with two outputs: images, [n, 3, crop height, crop width] (or channels
        last) of `normalize.dtype`, where bfloat16 is int16 of the same bits, or on a GPU float32;
        labels, class indices [n, crop height, crop width] of `labels.dtype`. For whole pictures,
        height and width are those of the batch's largest, rounded up to a multiple of
        `augment.pad_multiple`, and there are two outputs more, int64 [n, 2]: height and width of
        each picture in the batch, and as stored.

    Raises:
        ConfigError: an operator of the user's cannot be found, or fails as it is put in.
        LoaderError: no temporary file can be written.
    """
    graph = PairGraph(
        config=config,
        augment=augment,
        reading=reading,
        on_gpu=on_gpu,
        backend="cpu" if device_id is None else "gpu",
        hw_decoder_load=hw_decoder_load,
        cache=cache,
        form=Form.of(config.normalize, on_gpu=on_gpu),
        plain=Form.plain(config.normalize),
        operators=tuple(map(UserOperator.find, augment.operators)),
        pads=pads,
        strict=strict,
    )

    @pipeline_def(enable_conditionals=True)  # type: ignore[untyped-decorator]
    def define() -> tuple[Any, ...]:
        numbered = ("sample",) if tells_samples else ()
        given = _take(source, (*columns, *numbered, *parameter_names(augment)))
        return graph.show_whole(given) if whole else graph.show_crop(given)

    keep_buffers()
    check_temporary_files()  # without them AutoGraph goes on, and fails later
    make = functools.partial(
        define,
        batch_size=batch_size,
        num_threads=threads,
        device_id=device_id,
        prefetch_queue_depth=prefetch,
    )
    with warnings.catch_warnings():
        # AutoGraph fails where they are made errors; Python 3.13 gives many
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="gast|nvidia")
        # numbers that no operator of the user's wants
        warnings.filterwarnings("ignore", "The external source node .* is not used")
        try:
            # AutoGraph is of no more use after an interrupt; other threads than the main have none
            pipeline: Pipeline = run_in_thread(make)
        except ConfigError as e:  # to which AutoGraph has added where it was raised
            raise ConfigError(str(e).strip().rpartition("ConfigError: ")[2]) from None
        except Exception as e:
            failure = failure_of_theirs(e, graph.operators)
            if failure is not None:
                raise failure from e
            raise
        finally:
            remove_temporary_files()
        keep_in_children(pipeline)
        pipeline.build()
    if cache:
        # its operators know the address alone; attributes go in order, and this one comes last
        pipeline.dali_voc_pictures = cache.pictures
    return pipeline


@plain_python
def _take(source: Source, names: tuple[str, ...]) -> dict[str, Any]:
    nodes = fn.external_source(source=source, num_outputs=len(names))
    return dict(zip(names, nodes, strict=True))
